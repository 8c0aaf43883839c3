"""Answers of the room ``inventory``: their types, from which OpenAPI is made."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from gateway.http.openapi import Count, described
from gateway.inventory.models import Operation

AnyObject = Annotated[Any, WithJsonSchema({"type": "object"})]


@described
class TypeSummary(TypedDict):
    """A type of the inventory."""

    name: str
    index: str
    """Alias of its index in Elasticsearch."""
    public: bool
    key: str | None
    parent: str | None
    schema_version: Count


@described
class TypeList(TypedDict):
    """The types that you may read."""

    types: list[TypeSummary]


@described
class TypeAnswer(TypedDict):
    """A type as it is declared."""

    name: str
    schema_version: Count
    """Counts the declarations."""
    physical_index: str
    """The index that the alias leads to."""
    building_index: str | None
    """The index that is being built, to take its place."""
    definition: AnyObject


@described
class MisfitAnswer(TypedDict):
    """A document that the new schema does not allow."""

    id: str
    pointer: str
    keyword: str
    detail: str


@described
class TypeChangeAnswer(TypedDict):
    """Result of a declaration."""

    name: str
    schema_version: Count
    outcome: Literal["created", "changed", "unchanged"]
    rebuild: bool
    """The index is built again, and takes the place of the old one when it is whole."""
    misfits: Count
    """Documents that the schema does not allow."""
    first_misfits: list[MisfitAnswer]


@described
class Version(TypedDict):
    """A version of a document."""

    version: Count
    op: Operation
    at: datetime
    actor: str | None
    """The user who made it; null where the name was erased."""
    request_id: str
    changed: list[str]
    """JSON pointers to the members that it changed; an empty one is the whole document."""


@described
class VersionAnswer(Version):
    """A version of a document, with the document."""

    document: AnyObject | None
    """Null if the version is a deletion."""


@described
class HistoryAnswer(TypedDict):
    """Versions of a document, the newest first."""

    index_state: Literal["pending", "published", "rejected"]
    """Whether the newest version is on its way to the index, has been sent there, or was refused by its mapping."""
    versions: list[Version]
    next: NotRequired[int]
    """Versions before this one are on the next page: ``?before=``."""


@described
class Child(TypedDict):
    """A document below another."""

    id: str
    version: Count
    document: AnyObject


@described
class ChildList(TypedDict):
    """Documents of one type below a document, in the order of their ids."""

    results: list[Child]
    next: NotRequired[str]
    """Documents after this id are on the next page: ``?after=``."""


@described
class ChangeAnswer(TypedDict):
    """A change in the feed."""

    feed: Count
    """Number of the change, in the order in which changes were published."""
    change_id: str
    """Id of the change, and of its event on the audit trail."""
    type: str
    id: str
    version: Count
    op: Operation
    at: datetime
    actor: str | None
    """The user who made it; null where the name was erased."""
    changed: list[str]
    """JSON pointers to the members that it changed; an empty one is the whole document."""
    document: AnyObject | None
    """The document after the change; null if it is deleted."""


@described
class ChangeList(TypedDict):
    """Changes in the order of their numbers."""

    query_id: str
    changes: list[ChangeAnswer]
    next: Count
    """Ask with it as ``since`` for what comes after."""


@described
class DayReads(TypedDict):
    """Reads on one day."""

    day: str
    reads: Count


@described
class ItemReads(TypedDict):
    """Reads of one document."""

    id: str
    reads: Count


_FROM = TypedDict("_FROM", {"from": str})
"""A member whose name is a word of Python's."""


@described
class ReadsAnswer(_FROM):
    """Reads of a type's documents without credentials."""

    type: str
    to: str
    """The last day."""
    total: Count
    """Reads of all documents on all days."""
    days: NotRequired[list[DayReads]]
    """Every day, with `group=day`."""
    items: NotRequired[list[ItemReads]]
    """The documents most read, with `group=item`."""
    at_most_missing: NotRequired[Count]
    """The number of an item's reads that may be missing; 0 unless more than 10,000 items are read on one day."""
