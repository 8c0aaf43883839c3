"""Erasure from the inventory: a person's name as the author of changes, and the history of one document.

The rows of changes stay, so that numbers and versions go on without a gap. An erased document is deleted, as a change
of its own (``erase``), by which indices and everybody who follows the changes get to know that nothing is left of it.
"""

from django.db.models import JSONField, QuerySet, Value

from gateway.inventory import writes
from gateway.inventory.batch import Author
from gateway.inventory.history import read_row
from gateway.inventory.models import Change, IdempotencyKey
from gateway.inventory.transactions import transact
from gateway.inventory.writes import Place

_CHUNK = 500
_OF_A_PERSON = ("client_ip", "user_agent")
"""Members of a change's metadata that tell of the person who asked for it."""


def changes_by(name: str) -> QuerySet[Change]:
    """The changes that a user has made."""
    return Change.objects.filter(actor=name)


def forget_author(name: str) -> int:
    """Take a user out of the changes that they have made; how many these are."""
    count = last = 0
    # From the last one on: nothing finds changes by their author, so each part would look through all before it.
    while rows := list(changes_by(name).filter(pk__gt=last).only("pk", "event_metadata").order_by("pk")[:_CHUNK]):
        last = rows[-1].pk
        for row in rows:
            row.actor = None
            row.event_metadata = row.event_metadata | dict.fromkeys(_OF_A_PERSON)
        Change.objects.bulk_update(rows, ["actor", "event_metadata"])
        count += len(rows)
    return count


def versions_of(place: Place) -> QuerySet[Change]:
    """The versions of a document that have a content.

    Raises:
        Problem: 404, the document never was.
    """
    read_row(place)
    return Change.objects.filter(type=place.declared.name, document_id=place.document_id, body__isnull=False)


def erase_document(place: Place, author: Author) -> int:
    """Delete a document with the contents of all its versions; how many these are.

    Raises:
        Problem: 404, the document never was; 409, others stand below it, or refer to it.
    """

    def erase() -> int:
        writes.erase(place, author)
        versions = versions_of(place)
        # Answers that are kept for requests that are sent again.
        IdempotencyKey.objects.filter(body__in=versions.values("body")).delete()
        return versions.update(body=None, changed=Value([], JSONField()))

    return transact(erase)
