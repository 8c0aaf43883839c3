"""Pipeline of every search by a known caller: plan and run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import orjson

from gateway.audit.draft import EventDraft
from gateway.http.memory import Part, claim
from gateway.identity.authorization import require_index, wanted_index
from gateway.identity.models import User
from gateway.search.cursors import reading
from gateway.search.elasticsearch import Page, search
from gateway.search.request import SearchPlan, SearchRequest
from gateway.search.schema import SearchAnswer
from gateway.search.translator_client import translate


def plan(
    user: User, draft: EventDraft, request: SearchRequest, wait: Callable[[str], None] | None = None
) -> SearchPlan:
    """Authorize the index, and resolve all names of the search.

    Args:
        draft: gets the query, the index and the translation.
        wait: waits until the authorized index has what the caller has written. Names are resolved after it, because
            the index, or one of its fields, may be new.

    Raises:
        Problem: 403, and whatever the translator has to say.
    """
    index = wanted_index(user, request.index)
    draft.query, draft.index = request.query, index
    require_index(user, index)
    if wait is not None:
        wait(index)
    return plan_on(index, draft, request)


def plan_on(index: str, draft: EventDraft, request: SearchRequest) -> SearchPlan:
    """Resolve all names of a search of an index that its caller may read.

    Args:
        draft: gets the query, the index and the translation.

    Raises:
        Problem: whatever the translator has to say.
    """
    draft.query, draft.index = request.query, index
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
def run(user: User | None, draft: EventDraft, planned: SearchPlan) -> Iterator[Page]:
    """Search, for a block that records the event; how the block ends decides what becomes of a cursor.

    Args:
        user: the caller; None for an unknown one, who reads no cursor.
        draft: filled in as the search goes on; it is the block's to record.
        planned: as ``plan`` has made it.

    Raises:
        Problem: whatever cursors and Elasticsearch have to say.
    """
    found: AbstractContextManager[Page]
    if planned.request.cursor is None:
        found = nullcontext(search(planned))
    else:
        assert user is not None, "a cursor is its user's"
        found = reading(user, draft, planned)
    with found as page:
        draft.hits, draft.took_ms = page.count, page.took_ms
        yield page


def page_answer(draft: EventDraft, planned: SearchPlan, page: Page) -> SearchAnswer:
    """The answer with a page."""
    answer: SearchAnswer = {
        "query_id": draft.query_id,
        "count": page.count,
        "count_relation": page.count_relation,
        "took_ms": page.took_ms,
        "results": [orjson.Fragment(document) for document in page.results],
        "next": page.next,
        "notices": planned.notices,
    }
    if planned.request.ids:
        answer["ids"] = list(page.ids)
    if planned.request.explain and draft.dsl is not None:
        answer["dsl"] = draft.dsl
    return answer
