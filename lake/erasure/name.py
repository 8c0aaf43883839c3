"""Name of a person as it is found in texts and bytes.

A name is found as a whole: in letters of either case, with no letter, digit or underscore right before or after it. So
``jane.doe`` is found in ``user = "Jane.Doe"`` and in ``jane.doe@example.com``, and ``ann`` is not in ``planning``.
"""

# pylint: disable=no-member  # functions of pyarrow.compute are made when it is imported
import json
import re

import pyarrow as pa
import pyarrow.compute as pc

from lake.engine import quoted

ERASED = "[erased]"
"""Stands for the name in texts of others."""

_IN_ITS_PLACE = rf"\1{ERASED}\3"


class Name:
    """A user's name, also as JSON writes it inside a text.

    Args:
        text: the name.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        written = {text, text.lower(), text.upper()}
        self._forms = sorted(
            written.union(*({json.dumps(each)[1:-1], json.dumps(each, ensure_ascii=False)[1:-1]} for each in written))
        )
        # https://github.com/google/re2/wiki/Syntax; it has no look-around.
        self._pattern = rf"(?i)(^|[^\pL\pN_])({'|'.join(map(re.escape, self._forms))})($|[^\pL\pN_])"
        forms = b"|".join(re.escape(form.encode()) for form in self._forms)
        self._bytes = re.compile(rb"(?i)(?<![A-Za-z0-9_])(?:" + forms + rb")(?![A-Za-z0-9_])")

    def is_in(self, content: bytes) -> bool:
        """Whether bytes that are no columns have it."""
        return self._bytes.search(content) is not None

    def found(self, column: pa.Array) -> int:
        """How many texts, or bytes, of a column have it."""
        return int(pc.match_substring_regex(column, self._pattern).true_count)

    def equal(self, column: pa.Array) -> int:
        """How many texts of a column are it, and nothing else."""
        return int(pc.equal(column, self.text).true_count)

    def sql_found(self, text: str) -> str:
        """A condition of DuckDB: that a text has it."""
        # Few texts of ASCII have these characters at all, and to see that takes a tenth of the time. In others a letter
        # may have cases that `lower` does not know, such as the long s.
        possible = [f"strlen({text}) <> length({text})"] + [
            f"contains(lower({text}), {quoted(form)})"
            for form in sorted({each.lower() for each in self._forms if each.isascii()})
        ]
        return f"(({' OR '.join(possible)}) AND regexp_matches({text}, {quoted(self._pattern)}))"

    def sql_erased(self, column: str) -> str:
        """An expression of DuckDB: a column's text, with ``ERASED`` for the name."""
        replaced = column
        # Twice: of two names with one character between, the first takes it.
        for _ in range(2):
            replaced = f"regexp_replace({replaced}, {quoted(self._pattern)}, {quoted(_IN_ITS_PLACE)}, 'g')"
        return replaced
