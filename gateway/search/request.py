"""Search as its caller asks for it (``SearchRequest``), and as it is run (``SearchPlan``)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.search.date_anchor import anchored
from gateway.search.notices import Notice


@dataclass(frozen=True, slots=True)
class SearchRequest:  # pylint: disable=too-many-instance-attributes  # the contract has as many
    """A search as its caller asks for it, checked; made from a body or a query string.

    Attributes:
        index: the first that the caller may search where it is None.
        sort: field names, each after "-" for descending order; documents without the field come last.
        fields: the members of a document that are wanted (a name includes all below it); None for all.
        cursor: START, the cursor of the page before, or None for a page by number.
        ids: whether the answer names the documents.
        exact_count: count to the end, whatever it takes, and not only to ``MAX_RESULT_WINDOW``.
    """

    query: str
    index: str | None = None
    case_insensitive: bool = False
    sort: Sequence[str] = ()
    fields: Sequence[str] | None = None
    size: int = 50
    page: int = 1
    cursor: str | None = None
    explain: bool = False
    ids: bool = False
    exact_count: bool = False


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """A search that its caller may run, with all of its names resolved; by page, by cursor or as a stream.

    Attributes:
        index: the index, alias or pattern. It can be part of a path: only configured ones can be searched.
        dsl: Elasticsearch Query DSL.
        sort: Elasticsearch's sort clauses.
        source: the members of a document to return; True for all.
    """

    request: SearchRequest
    index: str
    dsl: dict[str, Any]
    sort: list[dict[str, Any]]
    source: list[str] | bool
    notices: list[Notice]

    def at(self, moment: datetime) -> "SearchPlan":
        """Return the plan with its ``now`` fixed at a moment in UTC."""
        return replace(self, dsl=anchored(self.dsl, moment))
