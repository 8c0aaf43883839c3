"""The way of every search by a known caller: read, translate, search."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from rest_framework.request import Request

from gateway.access import require_index
from gateway.cursor import reading
from gateway.memory import Part, claim
from gateway.record import QueryRecord
from gateway.search import Page, search
from gateway.serializers import StrictSerializer, checked
from gateway.translator import translate


def read(request: Request, record: QueryRecord, serializer: type[StrictSerializer]) -> dict[str, Any]:
    """Check the body, noting the query first, so that the trail has it even if something else in the body is wrong.

    Raises:
        ValidationError: the body breaks the contract; names the member.
    """
    body = request.data
    if isinstance(body, dict) and isinstance(body.get("query"), str):
        record.query = body["query"]
    return checked(serializer, body, record.user)


def prepare(record: QueryRecord, asked: Mapping[str, Any]) -> None:
    """Let nobody past the indices that they may search, and translate the query.

    Args:
        record: gets the query, the index and the translation.
        asked: the members of ``TranslateSerializer``.

    Raises:
        Problem: 403, and whatever the translator has to say.
    """
    record.query, record.index = asked["query"], asked["index"]
    require_index(record.user, asked["index"])
    record.dsl = translate(
        asked["query"],
        asked["index"],
        case_insensitive=asked["case_insensitive"],
        correlation=record.correlation,
    )["query"]
    # It has become a query of the length that there may be.
    claim(Part.BODY, 0)


@contextmanager
def run(record: QueryRecord, asked: Mapping[str, Any], *, exact_count: bool = False) -> Iterator[Page]:
    """Translate and search, for a block that puts the record on the trail; it decides what becomes of a cursor.

    Args:
        record: filled in as the search goes on; it is the block's to put on the trail.
        asked: the members of ``SearchSerializer``.
        exact_count: as ``search`` takes it.

    Raises:
        Problem: 403 for an index that the caller may not search, and whatever translator and Elasticsearch have to say.
    """
    prepare(record, asked)
    assert record.dsl is not None
    with (
        reading(record, asked, exact_count=exact_count)
        if asked["cursor"] is not None
        else nullcontext(
            search(
                asked["index"],
                record.dsl,
                size=asked["size"],
                page=asked["page"],
                sort=asked["sort"],
                fields=asked["fields"],
                correlation=record.correlation,
                exact_count=exact_count,
            )
        )
    ) as page:
        record.hits, record.took_ms = page.count, page.took_ms
        yield page
