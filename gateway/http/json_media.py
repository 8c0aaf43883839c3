"""Strict parser and renderer of JSON (RFC 8259)."""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from gateway.http.endpoints import SMALL_BODY_BYTES, body_limit
from gateway.http.memory import Part, claim
from gateway.http.problems import Code, Problem, malformed

MAX_VALUES = 1_000
"""Values in a body, those within others too; a request that asks for all that it may has half as many."""
MAX_DEPTH = 16
"""Levels of lists and objects."""
_COPIES = 16
"""Memory that a long body takes, in lengths of it: in Python four bytes a character, and eight in the buffer into
which orjson writes it for the translator."""


class _DuplicateMember(ValueError):
    """An object has two members of one name."""


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise _DuplicateMember(name)
        names.add(name)


# A string, or what there is of one; it never goes back over what it has read, so it takes a time of the body's length.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
# orjson keeps the last of two members of one name; the standard library lets the names be seen. Numbers stay text:
# orjson has read them already, and very long ones raise errors of their own.
_find_duplicates = json.JSONDecoder(object_pairs_hook=_refuse_duplicates, parse_int=str).decode


def loads(body: bytes, max_values: int = MAX_VALUES, max_depth: int = MAX_DEPTH) -> Any:
    """Read one JSON text; how many values it has is counted first, as each takes far more memory than its text.

    Raises:
        Problem: 400, the bytes are no JSON text in UTF-8, or too many values, or nested too deeply, or an object in it
            has two members of one name.
    """
    # Each value is a string at most, and so is the name of each member; what they are cut into takes memory as well.
    structure, strings = _STRING.subn(b"", body, 2 * max_values)
    opened = structure.count(b"[") + structure.count(b"{")
    if strings == 2 * max_values or opened + structure.count(b",") >= max_values:
        raise malformed(f"The body has more than {max_values:,} values, lists and objects.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"The body is not JSON: {error}.") from None
    if _members(value, max_depth) != structure.count(b":"):
        try:
            _find_duplicates(body.decode())
        except _DuplicateMember as error:
            raise malformed(f'The body has two members named "{str(error)[:100]}".') from None
    return value


def _members(value: Any, max_depth: int) -> int:
    """Count the members of the objects in a value."""
    count, level = 0, [value]
    for _ in range(max_depth + 1):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                count += len(each)
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        if not inner:
            return count
        level = inner
    raise malformed(f"The body is nested more than {max_depth} levels deep.")


MERGE_PATCH = "application/merge-patch+json"
"""Media type of a merge patch (RFC 7396)."""


class JSONParser(BaseParser):  # pylint: disable=too-few-public-methods  # as the framework has it
    """Reads a body, as long as its endpoint takes, as JSON."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Read the body.

        Raises:
            Problem: 400 for what is no JSON, 413 for too much of it.
            UnsupportedMediaType: the body is compressed, or in an encoding other than UTF-8.
        """
        assert parser_context is not None
        request: Request = parser_context["request"]
        charset = (request.content_params or {}).get("charset", "utf-8")
        if charset.lower().strip("\"'") not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaType(media_type or "", f'Send the body in UTF-8, not in "{charset[:40]}".')
        if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
            raise UnsupportedMediaType(media_type or "", "Send the body without a Content-Encoding.")
        length, limit = int(request.META.get("CONTENT_LENGTH") or 0), body_limit(request.path_info)
        body = stream.read(limit + 1)
        if max(length, len(body)) > limit:
            raise too_large(limit)
        if len(body) > SMALL_BODY_BYTES:
            claim(Part.BODY, _COPIES * len(body))
        if len(body) < length:
            seconds = settings.GATEWAY.body_timeout
            raise malformed(
                f"The body is not whole: it did not arrive within {seconds:g} s, ended early, or a chunk of it is "
                "malformed."
            )
        return self.read(body)

    def read(self, body: bytes) -> Any:
        """Read the whole body."""
        return loads(body)


def too_large(limit: int) -> Problem:
    """The problem of a body that is longer than its endpoint takes.

    Args:
        limit: in bytes.
    """
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Code.TOO_LARGE, f"The body is larger than {limit:,} bytes.")


class JSONRenderer(BaseRenderer):  # pylint: disable=too-few-public-methods  # as the framework has it
    """Writes JSON with orjson."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """Write the data."""
        return orjson.dumps(data)


class AlwaysJSON(DefaultContentNegotiation):
    """Answers in the view's first media type whatever Accept says, as RFC 9110 (section 12.4.1) permits."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Choose the first renderer."""
        first = next(iter(renderers))
        return first, first.media_type or ""


def parsers_of(request: HttpRequest | None, whole: type[BaseParser], patch: type[BaseParser]) -> list[BaseParser]:
    """The parser of a view's request: patches where it patches alone, as one that replaced would lose members.

    Args:
        request: None while the OpenAPI document is made.
        whole: reads what is created, or takes the place of something.
        patch: reads merge patches.
    """
    return [patch() if request is not None and request.method == "PATCH" else whole()]
