"""Notices of a query that probably does not mean what its author means; the translator finds them."""

import json
from collections.abc import Sequence

from typing_extensions import TypedDict

from gateway.http.openapi import Count, described

MAX_HEADER_CHARACTERS = 2_048
"""Of the header with notices: a proxy refuses an answer whose headers are longer than its buffer, often 4 KiB."""


@described
class Notice(TypedDict):
    """Notice that a query probably does not mean what its author means; it runs all the same."""

    code: str
    """The reason, such as `quoted_wildcard`."""
    message: str
    """The reason for people."""
    position: Count
    """The beginning of the text that is meant, in characters from 0."""
    end: Count
    suggestion: str | None
    """A text for that place; null where none is known."""


def header_value(notices: Sequence[Notice]) -> str:
    """Notices as the value of a header: a JSON array in ASCII of those that fit into ``MAX_HEADER_CHARACTERS``."""
    fitting: list[str] = []
    length = len("[]")
    for notice in notices:
        text = json.dumps(notice, separators=(",", ":"))
        if length + len(text) + len(",") <= MAX_HEADER_CHARACTERS:
            fitting.append(text)
            length += len(text) + len(",")
    return f"[{','.join(fitting)}]"
