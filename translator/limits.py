"""Limits of a query; each is checked before the work that it bounds."""

MAX_CHARACTERS = 65_536
"""Code points of the text."""
MAX_NAME = 1_024
"""Characters of a field's name."""
MAX_NAME_PARTS = 64
"""Names joined by dots in a field's name."""
MAX_DEPTH = 50
"""Levels of brackets and scopes."""
MAX_NOTICES = 10
"""Notices of one query."""
MAX_CLAUSES = 1_024
"""Comparisons in the text, and leaf queries sent to Elasticsearch."""
MAX_MEMBERS = 8_192
"""Values of one IN."""
MAX_WILDCARD = 256
"""Characters of a value with wildcards, and of a value looked for inside others."""
MAX_REGEX = 1_000
"""Characters of a regular expression, written and sent (Elasticsearch's `index.max_regex_length`)."""
MAX_REGEX_SIZE = 10_000
"""Characters of a regular expression with its repetitions written out."""
MAX_COMPOUND_DEPTH = 25
"""Compound queries (`bool`, `nested`) within each other; Elasticsearch refuses 30."""
MAX_TERM_BYTES = 32_766
"""UTF-8 bytes of a value that is compared as a whole: Lucene keeps no longer term, and Elasticsearch looks for none."""
