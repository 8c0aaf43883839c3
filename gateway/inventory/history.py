"""Versions of documents, from their changes."""

from http import HTTPStatus
from typing import Literal

from django.db.models import Q

from gateway.http.problems import Code, Problem
from gateway.inventory.models import Change, Document, IndexState, RelayState
from gateway.inventory.preconditions import State, never_was, require_live
from gateway.inventory.writes import Place

MAX_PAGE = 100


def read_row(place: Place) -> Document:
    """The row of a document, whether it is there or deleted.

    Raises:
        Problem: 404, the document never was, or stands below another parent.
    """
    rows = Document.objects.filter(type=place.declared.name, document_id=place.document_id)
    if place.parent_id is not None:
        rows = rows.filter(parent__document_id=place.parent_id)
    row = rows.first()
    if row is None:
        raise never_was()
    return row


def read_live(place: Place) -> Document:
    """The row of a document that is there.

    Raises:
        Problem: 404, 410.
    """
    row = read_row(place)
    require_live(State(row.version, is_live=row.body is not None))
    return row


def read_history(row: Document, before: int | None) -> list[Change]:
    """The newest versions of a document, at most one more than ``MAX_PAGE``.

    Args:
        before: only versions before this one.
    """
    changes = Change.objects.filter(type=row.type, document_id=row.document_id)
    if before is not None:
        changes = changes.filter(version__lt=before)
    return list(changes.defer("body", "event_metadata").order_by("-version")[: MAX_PAGE + 1])


def index_state(row: Document) -> Literal["pending", "published", "rejected"]:
    """Progress of a document's newest version towards the index."""
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
