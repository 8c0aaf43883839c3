"""The way of every search by a known caller: plan and run."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from gateway.audit.draft import EventDraft
from gateway.http.memory import Part, claim
from gateway.identity.authorization import require_index, wanted_index
from gateway.identity.models import User
from gateway.search.cursors import reading
from gateway.search.elasticsearch import Page, search
from gateway.search.request import SearchPlan, SearchRequest
from gateway.search.translator_client import translate


def plan(user: User, draft: EventDraft, request: SearchRequest) -> SearchPlan:
    """Authorize the index, and resolve all names of the search.

    Args:
        draft: gets the query, the index and the translation.

    Raises:
        Problem: 403, and whatever the translator has to say.
    """
    index = wanted_index(user, request.index)
    draft.query, draft.index = request.query, index
    require_index(user, index)
    translation = translate(
        request.query,
        index,
        case_insensitive=request.case_insensitive,
        sort=request.sort,
        fields=request.fields,
    )
    draft.dsl = translation["query"]
    # It has become a query of the length that there may be.
    claim(Part.BODY, 0)
    return SearchPlan(
        request,
        index,
        dsl=translation["query"],
        sort=translation["sort"],
        source=translation["source"],
        notices=translation["notices"],
    )


@contextmanager
def run(user: User, draft: EventDraft, planned: SearchPlan) -> Iterator[Page]:
    """Search, for a block that records the event; how the block ends decides what becomes of a cursor.

    Args:
        draft: filled in as the search goes on; it is the block's to record.
        planned: as ``plan`` has made it.

    Raises:
        Problem: whatever cursors and Elasticsearch have to say.
    """
    found = nullcontext(search(planned)) if planned.request.cursor is None else reading(user, draft, planned)
    with found as page:
        draft.hits, draft.took_ms = page.count, page.took_ms
        yield page
