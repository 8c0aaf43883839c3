"""Names of the inventory's indices: an alias and a number that is counted up.

Why apart from ``indices``: views need the names, and would otherwise load the elasticsearch client for nothing.
"""

import re

_NUMBER = re.compile(r"-([0-9]{6})\Z")


def index_name(alias: str, number: int) -> str:
    """The name of the index of a number behind an alias: six digits are counted up."""
    return f"{alias}-{number:06}"


def number_of(index: str) -> int:
    """The number at the end of an index's name; 0 if it has none."""
    found = _NUMBER.search(index)
    return 0 if found is None else int(found[1])
