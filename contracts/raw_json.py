"""JSON objects that a message carries and a reader never takes apart."""

import msgspec
import orjson
from msgspec import Raw

from contracts.invalid import InvalidReason, InvalidRecord

NULL = Raw(b"null")

# A byte is found in bytes several times faster by its number.
_BRACE, _BACKSLASH, _NEWLINE = b"{\\\n"
_NULL = bytes(NULL)


def one_line(raw: Raw, path: str) -> Raw:
    """An object or null as it came, on one line: a line ends a document in a bulk body.

    Args:
        raw: the member as the decoder has left it, which has looked at nothing in it but its ends.
        path: where it is in the message.

    Raises:
        InvalidRecord: it is neither, or not UTF-8, has half a surrogate pair, or is nested too deeply.
    """
    text = bytes(raw)
    if text[0] != _BRACE and text != _NULL:
        raise InvalidRecord(InvalidReason.SCHEMA, f"{path}: Expected `object | null`")
    if not text.isascii() or _BACKSLASH in text:
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InvalidRecord(InvalidReason.NOT_JSON, f"{error.msg}, in {path} at byte {error.pos}") from None
    if _NEWLINE not in text:
        return raw
    try:
        return Raw(msgspec.json.format(text, indent=-1))
    except RecursionError:
        raise InvalidRecord(InvalidReason.NOT_JSON, f"{path} is nested too deeply") from None
