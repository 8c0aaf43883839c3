"""Request bodies: their shape, read strictly and within a limit."""

import itertools
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError, model_validator
from starlette.requests import Request
from starlette.types import Receive

from translator.limits import MAX_CHARACTERS, MAX_NAME
from translator.problems import Problem, malformed

DEFAULT_INDEX = "devices"
IndexName = Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9_.*-]*$", max_length=255)]
"""An index, an alias, or a pattern of them with `*`; nothing that would be another path of Elasticsearch's."""


_Names = Annotated[tuple[Annotated[StrictStr, Field(max_length=MAX_NAME)], ...], Field(max_length=100)]


class TranslateRequest(BaseModel):
    """A query to translate, and the names in `sort` and `fields` of the search that it is for."""

    model_config = ConfigDict(extra="forbid")

    query: StrictStr
    index: IndexName = DEFAULT_INDEX
    case_insensitive: StrictBool = False
    sort: _Names = ()
    fields: _Names | None = None


class CompleteRequest(BaseModel):
    """A query that is being typed, and where its cursor is, in characters from 0."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[StrictStr, Field(max_length=MAX_CHARACTERS)]
    cursor: Annotated[StrictInt, Field(ge=0)]
    index: IndexName = DEFAULT_INDEX

    @model_validator(mode="after")
    def _cursor_in_query(self) -> Self:
        if self.cursor > len(self.query):
            raise ValueError("the cursor is behind the end of the query")
        return self


_Body = TypeVar("_Body", bound=BaseModel)


async def read(request: Request, model: type[_Body], limit: int) -> _Body:
    """Read and check a JSON body.

    Args:
        request: its body has not been read yet.
        model: what the body must be.
        limit: bytes at most, counted as they arrive.

    Raises:
        Problem: 415, 413 or 400.
    """
    # As a dictionary of bytes: looking two of them up by text takes longer than reading the JSON.
    headers: dict[bytes, bytes] = dict(request.scope["headers"])
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type != b"application/json":
        detail = "send the body as application/json"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    try:
        return model.model_validate_json(await _body(request.receive, headers, limit))
    except ValidationError as error:
        raise malformed("; ".join(complaints(error.errors(include_url=False, include_input=False)))) from None


async def _body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    # That it is a number is for the server to see to; a chunked body has none.
    length = int(headers.get(b"content-length", -1))
    body = b""
    more = True
    # The server says that no more is coming in a message of its own, and that takes a turn of the event loop.
    while more and len(body) != length:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise malformed("the body ended early")
        body += message.get("body", b"")
        if len(body) > limit:
            detail = f"the body is larger than {limit:,} bytes"
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail)
        more = message.get("more_body", False)
    return body


def complaints(errors: Iterable[Mapping[str, Any]]) -> list[str]:
    """Describe the first ten of pydantic's errors by member, never the value."""
    return [
        f"{'.'.join(str(part) for part in error['loc']) or 'the body'}: {error['msg']}"
        for error in itertools.islice(errors, 10)
    ]
