"""Bodies of writes: documents and merge patches, with the bytes as they came."""

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request

from gateway.http.json_media import MERGE_PATCH, JSONParser
from gateway.http.problems import malformed
from gateway.inventory.documents import read_json


@dataclass(frozen=True, slots=True)
class Body:
    """Body of a write: its bytes, and the value that they are."""

    text: bytes
    value: Any


class DocumentParser(JSONParser):  # pylint: disable=too-few-public-methods  # as the framework has it
    """Reads a document."""

    def read(self, body: bytes) -> Body:
        """Read the whole body."""
        return Body(body, read_json(body))


class PatchParser(DocumentParser):  # pylint: disable=too-few-public-methods  # as above
    """Reads a merge patch."""

    media_type = MERGE_PATCH


def body_of(request: Request) -> Body:
    """The body of a request that must have one.

    Raises:
        Problem: 400, it has none.
    """
    body = request.data
    if not isinstance(body, Body):
        raise malformed("The request has no body.")
    return body
