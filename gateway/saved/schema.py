"""Answers of the room ``saved``: their types, from which OpenAPI is made."""

from datetime import datetime
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from gateway.http.openapi import Count, described, example
from gateway.saved.models import ShareRole, Visibility

_Id = Annotated[str, example("01936f0e-8c3a-7b5e-9d2f-1a2b3c4d5e6f")]
_Time = Annotated[datetime, example("2026-11-21T01:02:03Z")]


@described
class SharedWith(TypedDict):
    """A user with whom something is shared by name."""

    user: Annotated[str, example("ayse")]
    role: Annotated[ShareRole, example("viewer")]


@described
class WatchAnswer(TypedDict):
    """The caller's watch of a search."""

    interval: Annotated[Count, example(300)]
    """Seconds between two looks."""
    looked_at: Annotated[datetime | None, example("2026-11-21T01:02:03Z")]
    """Time of the worker's last look; null before the first look, which tells nothing."""
    problem: Annotated[str | None, example(None)]
    """Reason why the last look failed, and the remedy."""


@described
class OneWatch(WatchAnswer):
    """The watch."""


@described
class _Item(TypedDict):
    id: _Id
    title: Annotated[str, example("Servers without an agent")]
    description: Annotated[str, example("")]
    owner: Annotated[str | None, example("octoAdmin")]
    """The owner's name; null where that user was deleted."""
    role: Annotated[ShareRole, example("owner")]
    """The caller's rights: to read it, to change it too, or to share and delete it too."""
    visibility: Annotated[Visibility, example("me")]
    version: Annotated[Count, example(1)]
    """Counts the changes; it is the ETag."""
    created_at: _Time
    updated_at: _Time


@described
class SearchSummary(_Item):
    """A saved search without its query."""

    index: Annotated[str | None, example("devices")]
    """The index; null for the first that the caller may search."""
    watch: WatchAnswer | None
    """Null where the caller does not watch it."""


@described
class SearchList(TypedDict):
    """Saved searches, the newest first."""

    searches: list[SearchSummary]
    next: Annotated[str | None, example(None)]
    """The id to send as `before` for those that follow; null after the last."""


@described
class SavedSearch(_Item):
    """A saved search."""

    query: Annotated[str, example('OS.Type = "Linux" and not Agent exists')]
    index: Annotated[str | None, example("devices")]
    """The index; null for the first that the caller may search."""
    columns: Annotated[list[str] | None, example(["Hostname", "Ip"])]
    """Columns of the table; null for the usual."""
    sort: Annotated[list[str], example(["-LastSeen"])]
    users: NotRequired[list[SharedWith]]
    """For owner and editors: those with whom it is shared by name."""


@described
class CollectionAnswer(_Item):
    """A collection of saved searches."""

    searches: Annotated[list[str], example(["01936f0e-8c3a-7b5e-9d2f-1a2b3c4d5e6f"])]
    """The ids of its searches, in their order; of searches too that are not shared with the caller, or deleted."""
    users: NotRequired[list[SharedWith]]
    """For owner and editors: those with whom it is shared by name."""


@described
class OneCollection(CollectionAnswer):
    """The collection."""


@described
class CollectionList(TypedDict):
    """Collections, the newest first."""

    collections: list[CollectionAnswer]
    next: Annotated[str | None, example(None)]
    """The id to send as `before` for those that follow; null after the last."""
