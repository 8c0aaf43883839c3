"""Versions of documents, from their changes."""

from http import HTTPStatus
from typing import Literal

from django.db.models import Q

from gateway.http.problems import Code, Problem
from gateway.inventory.models import Change, Document, IndexState, RelayState
from gateway.inventory.preconditions import ABSENT, State, require_live
from gateway.inventory.writes import Place

MAX_PAGE = 100


def find(place: Place) -> Document | None:
    """The row of a document, whether it is there or deleted; None if it never was, or stands below another parent."""
    row = Document.objects.select_related("parent").filter(type=place.declared.name, document_id=place.document_id)
    found = row.first()
    if found is None or place.parent_id is None:
        return found
    return found if found.parent is not None and found.parent.document_id == place.parent_id else None


def read_row(place: Place) -> Document:
    """The row of a document, whether it is there or deleted.

    Raises:
        Problem: 404, the document never was.
    """
    row = find(place)
    if row is None:
        require_live(ABSENT)
    assert row is not None
    return row


def state_of(row: Document | None) -> State:
    """The state of a document, for preconditions."""
    return ABSENT if row is None else State(row.version, is_live=row.body is not None)


def read_live(place: Place) -> Document:
    """The row of a document that is there.

    Raises:
        Problem: 404, 410.
    """
    row = find(place)
    require_live(state_of(row))
    assert row is not None
    return row


def read_history(place: Place, before: int | None) -> list[Change]:
    """The newest versions of a document, at most one more than ``MAX_PAGE``.

    Args:
        before: only versions before this one.

    Raises:
        Problem: 404, the document never was.
    """
    read_row(place)
    changes = Change.objects.filter(type=place.declared.name, document_id=place.document_id)
    if before is not None:
        changes = changes.filter(version__lt=before)
    return list(changes.defer("body", "event_metadata").order_by("-version")[: MAX_PAGE + 1])


def index_state(place: Place) -> Literal["pending", "published", "rejected"]:
    """How far the newest version of a document is on its way to the index."""
    row = read_row(place)
    if row.index_state == IndexState.REJECTED:
        return "rejected"
    change = Change.objects.filter(type=row.type, document_id=row.document_id, version=row.version)
    published = RelayState.objects.filter(pk=1).values_list("last_feed", flat=True).first() or 0
    # One that is missing was published, and pruned since.
    return "pending" if change.filter(Q(feed=None) | Q(feed__gt=published)).exists() else "published"


def read_version(place: Place, version: int) -> Change:
    """One version of a document.

    Raises:
        Problem: 404.
    """
    change = Change.objects.filter(type=place.declared.name, document_id=place.document_id, version=version).first()
    if change is None:
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, f"The document has no version {version}.")
    return change
