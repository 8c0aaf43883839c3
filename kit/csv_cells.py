"""Texts as cells of CSV that no spreadsheet takes for a formula, and back.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break is one for Excel and others, and can send what
the sheet holds to somebody else. An apostrophe before it makes it a text
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r\n]")


def neutralise(text: str) -> str:
    """Write a text as a cell; one of apostrophes before such a character gets one more, so that none is lost."""
    return f"'{text}" if _FORMULA.match(text) else text


def restore(cell: str) -> str:
    """Read a text back: the inverse of ``neutralise``."""
    return cell[1:] if _NEUTRALISED.match(cell) else cell
