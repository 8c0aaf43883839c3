"""Documents as JSON: their limits, their text, merge patches, and what two versions differ by; pure."""

from collections.abc import Iterator
from typing import Any

import orjson

from gateway.http.json_media import loads, too_large
from gateway.http.problems import malformed
from gateway.inventory.json_schema import escape

MAX_BYTES = 256 * 1024
MAX_LEVELS = 32
MAX_MEMBERS = 1_000
"""Of an array."""
MAX_CHANGED = 100
"""JSON pointers that a change names; one of more members names the whole document."""
MAX_CHANGED_CHARACTERS = 4_096
"""Of these pointers together."""
WHOLE = ""
"""JSON pointer to a whole document."""

_MAX_VALUES = 65_536
_MAX_INTEGER = 2**63 - 1

Document = dict[str, Any]


def read_json(body: bytes) -> Any:
    """Read the JSON text of a document, or of a patch of one.

    Raises:
        Problem: 400, it is no JSON text, or is over a limit of documents other than their length.
    """
    value = loads(body, _MAX_VALUES, MAX_LEVELS)
    check_values(value)
    return value


def check_values(value: Any) -> None:
    """Check what neither JSON nor its reader bounds: arrays, numbers and names.

    Raises:
        Problem: 400, says where.
    """
    if _fits(value):
        return
    for path, inner in _walk(value):
        if isinstance(inner, list) and len(inner) > MAX_MEMBERS:
            raise malformed(f"The array at {_shown(path)} has more than {MAX_MEMBERS:,} members.")
        if isinstance(inner, int) and not -_MAX_INTEGER - 1 <= inner <= _MAX_INTEGER:
            raise malformed(f"The integer at {_shown(path)} is not one of 64 bits.")
        if isinstance(inner, dict) and any("\0" in name for name in inner):
            raise malformed(f"The object at {_shown(path)} has a member with NUL in its name.")


def require_object(value: Any) -> Document:
    """Return a document, which is an object.

    Raises:
        Problem: 400, it is another value.
    """
    if not isinstance(value, dict):
        raise malformed("A document is a JSON object.")
    return value


def text_of(document: Document) -> bytes:
    """Write a document.

    Raises:
        Problem: 413, it is too long.
    """
    text = orjson.dumps(document)
    if len(text) > MAX_BYTES:
        raise too_large(MAX_BYTES)
    return text


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a merge patch (RFC 7396): null takes a member away, an object changes one, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def changed_pointers(old: Document, new: Document) -> list[str]:
    """JSON pointers to what differs, each as deep as objects go; an array is one value, the order of members none."""
    found: list[str] = []
    length = 0
    for pointer in _differences(old, new, ""):
        found.append(pointer)
        length += len(pointer)
        if len(found) > MAX_CHANGED or length > MAX_CHANGED_CHARACTERS:
            return [WHOLE]
    return found


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            place = f"{path}/{escape(name)}"
            if name in old and name in new:
                yield from _differences(old[name], new[name], place)
            else:
                yield place
    # In Python 1, 1.0 and True are equal; in JSON they are not.
    elif old is not new and _sorted(old) != _sorted(new):
        yield path


def _sorted(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _fits(value: Any) -> bool:
    """Whether a value is within the limits; finding out where it is not takes longer."""
    if isinstance(value, dict):
        return not any("\0" in name for name in value) and all(map(_fits, value.values()))
    if isinstance(value, list):
        return len(value) <= MAX_MEMBERS and all(map(_fits, value))
    return not isinstance(value, int) or -_MAX_INTEGER - 1 <= value <= _MAX_INTEGER


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    level: list[tuple[str, Any]] = [("", value)]
    while level:
        below: list[tuple[str, Any]] = []
        for path, inner in level:
            yield path, inner
            if isinstance(inner, dict):
                below.extend((f"{path}/{escape(name)}", each) for name, each in inner.items())
            elif isinstance(inner, list):
                below.extend((f"{path}/{number}", each) for number, each in enumerate(inner))
        level = below


def _shown(path: str) -> str:
    return path[:200] or "/"
