"""Answers of the room ``search``: their types, from which OpenAPI is made."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from gateway.http.openapi import Count, described, example
from gateway.search.notices import Notice

Document = Annotated[Any, WithJsonSchema({"type": "object"})]
"""A document as Elasticsearch has it; its JSON text is passed on unread."""


@described
class SearchAnswer(TypedDict):
    """A page of the answer."""

    query_id: Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
    """The id of the search's audit event."""
    count: Count
    """Documents that match."""
    count_relation: Literal["eq", "gte"]
    """gte: there are more than count."""
    took_ms: Count
    """Milliseconds that Elasticsearch took."""
    results: list[Document]
    next: str | None
    """Cursor to the next page."""
    notices: list[Notice]
    ids: NotRequired[list[str]]
    """The id of each result, in the same order, with `"ids": true`; for `GET /documents/{index}/{document_id}`."""
    dsl: NotRequired[dict[str, Any]]
    """The Elasticsearch query, with `"explain": true`."""


@described
class FoundDocument(TypedDict):
    """A document as a search finds it."""

    query_id: Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
    """The id of the audit event."""
    index: str
    id: str
    document: Document


class HistoryTarget(TypedDict):
    """The thing that a request was about."""

    type: str
    id: NotRequired[str | list[str] | None]
    version: NotRequired[int | None]
    changed: NotRequired[list[str] | None]


@described
class HistoryEvent(TypedDict):
    """An event of your own."""

    id: Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
    """`query_id` of its answer."""
    at: Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
    action: Annotated[str, example("query.executed")]
    status: int
    """HTTP status of the answer."""
    query: str | None
    index: str | None
    hits: int | None
    took_ms: int | None
    code: NotRequired[str]
    """The code of its problem; missing after a success."""
    target: NotRequired[HistoryTarget]


@described
class HistoryPage(TypedDict):
    """Your own events, the newest first."""

    events: list[HistoryEvent]
    next: str | None
    """For `before`; null at the end."""


@described
class Translation(TypedDict):
    """The query for Elasticsearch."""

    query: dict[str, Any]
    """Elasticsearch Query DSL."""
    fields: list[str]
    """The fields in it."""
    canonical: str
    """The query in its canonical form."""
    notices: list[Notice]


@described
class Suggestion(TypedDict):
    """A text that can stand at the cursor."""

    text: str
    kind: Literal["field", "operator", "keyword", "value"]
    type: str
    """A field's mapping type; empty for the other kinds."""


@described
class Completion(TypedDict):
    """Texts that can stand at the cursor."""

    start: Count
    """The beginning of the text that a suggestion replaces, in characters from 0."""
    end: Count
    """The end of that text: the cursor."""
    suggestions: list[Suggestion]
    """In the order in which to offer them."""
    complete: bool
    """Whether there are no others, so that those for a longer word are among them."""
    values_of: str | None
    """The field of which values were looked up in the index; such a look-up has an audit event."""


@described
class Field(TypedDict):
    """A field that a query can name."""

    name: Annotated[str, example("Managed")]
    type: Annotated[str, example("boolean")]
    """The mapping type."""
    operators: Annotated[list[str], example(["=", "!=", "IN", "NOT IN", "EXISTS", "NOT EXISTS"])]
    sortable: bool
    """Whether results can be sorted by it."""
    alias_of: NotRequired[str]
    """The field that the name stands for."""
    nested: NotRequired[str]
    """The nested field that holds it."""
    problem: NotRequired[str]
    """The reason why it cannot be queried."""


@described
class FieldList(TypedDict):
    """The fields."""

    index: str
    fields: list[Field]
