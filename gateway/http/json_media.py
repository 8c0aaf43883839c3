"""JSON in and out, strictly: RFC 8259 without the liberties that parsers take."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from gateway.http.problems import Code, Problem, malformed


class _DuplicateMember(ValueError):
    """An object has two members of one name."""


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    names = set()
    for name, _ in pairs:
        if name in names:
            raise _DuplicateMember(name)
        names.add(name)


# orjson keeps the last of two members of one name; the standard library lets the names be seen. Numbers stay text:
# orjson has read them already, and very long ones raise errors of their own.
_find_duplicates = json.JSONDecoder(object_pairs_hook=_refuse_duplicates, parse_int=str).decode


def loads(body: bytes) -> Any:
    """Read one JSON text.

    Raises:
        Problem: 400, the bytes are no JSON text in UTF-8, or an object in it has two members of one name.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"The body is not JSON: {error}.") from None
    try:
        _find_duplicates(body.decode())
    except _DuplicateMember as error:
        raise malformed(f'The body has two members named "{str(error)[:100]}".') from None
    except RecursionError:
        raise malformed("The body is nested too deeply.") from None
    return value


class JSONParser(BaseParser):  # pylint: disable=too-few-public-methods  # as the framework has it
    """Reads a body of at most ``MAX_BODY_BYTES`` as JSON."""

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
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType(media_type or "", "Send the body without a Content-Encoding.")
        body = stream.read(settings.MAX_BODY_BYTES + 1)
        if len(body) > settings.MAX_BODY_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                Code.TOO_LARGE,
                f"The body is larger than {settings.MAX_BODY_BYTES:,} bytes.",
            )
        if len(body) < int(request.META.get("CONTENT_LENGTH") or 0):
            seconds = settings.GATEWAY.body_timeout
            raise malformed(f"The body ended early, or did not arrive within {seconds:g} s.")
        return loads(body)


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
