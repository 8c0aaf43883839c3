"""Reading what Elasticsearch stores as JSON and a strict reader refuses."""

import re
from typing import Any

import orjson

# An escaped backslash and a whole pair are kept, and consumed, so that what is left is half a character.
_HALF = re.compile(rb"(\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\ud[89a-f][0-9a-f]{2}", re.IGNORECASE)


def loads(text: bytes | bytearray) -> Any:
    r"""Read half a surrogate pair (``\ud83d`` alone), and bytes that are no UTF-8, as U+FFFD.

    Elasticsearch gives a document back as it was sent, and it may have been cut in the middle of a character.
    https://www.rfc-editor.org/rfc/rfc8259#section-8.2

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return orjson.loads(whole(text))


def read_object(text: bytes | bytearray) -> dict[str, Any]:
    """Read the members of an answer; none if it is no JSON object."""
    try:
        answer = loads(text)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def whole(text: bytes | bytearray) -> bytes:
    """A JSON text with U+FFFD in the place of half characters, and of bytes that are no UTF-8."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            text = text.decode("utf-8", "replace").encode()
    return _HALF.sub(lambda found: found[1] or rb"\ufffd", text)
