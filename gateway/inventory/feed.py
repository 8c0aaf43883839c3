"""``GET /inventory-changes``: changes in the order of their numbers, for programs that follow the inventory.

From the database, so that it needs neither Kafka nor Elasticsearch, and has what the topic has deleted after a week.
"""

from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from django.db.models import Min
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.fields import checked
from gateway.http.openapi import KNOWN, operation
from gateway.http.problems import Code, Problem
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller
from gateway.inventory.base_views import InventoryView, may_read_history
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.models import Change, RelayState
from gateway.inventory.schema import ChangeList
from gateway.inventory.serializers import FeedParameters

_operation = partial(operation, group="Inventory")
_MAX_BODY_BYTES = 8 * 1024 * 1024


class ChangesView(InventoryView):
    """Changes of all types that the caller may read."""

    @_operation("inventory_changes", ChangeList, problems=(400, *KNOWN, 410), parameters=[FeedParameters])
    def get(self, request: Request) -> Response:
        """Follow the changes of the inventory.

        Each is there once it is published. Keep `next`, and ask again with it as `since`: no change is skipped, none
        comes twice.
        """
        draft = self.known(request)
        asked = checked(FeedParameters, read_parameters(request))
        user, since = caller(request), asked["since"]
        readable = [each.name for each in read_catalogue().types.values() if may_read_history(user, each)]
        published = RelayState.objects.values_list("last_feed", flat=True).filter(pk=1).first() or 0
        rows = Change.objects.filter(feed__gt=since, feed__lte=published, type__in=readable).order_by("feed")
        changes: list[dict[str, Any]] = []
        length, last = 0, max(published, since)
        for row in rows[: asked["size"]].iterator(100):
            changes.append(_change(row))
            length += len(row.body or "")
            if length > _MAX_BODY_BYTES or len(changes) == asked["size"]:
                last = row.feed or last
                break
        # Afterwards, as they may be pruned while they are read.
        _require_kept(since, published)
        draft.hits = len(changes)
        record_event(draft)
        return Response({"query_id": draft.query_id, "changes": changes, "next": last}, headers=NOT_KEPT)


def _require_kept(since: int, published: int) -> None:
    """Refuse a place in the feed whose next changes are pruned.

    Args:
        published: the number of the last change that is published.

    Raises:
        Problem: 410.
    """
    first = Change.objects.aggregate(first=Min("feed"))["first"] or published + 1
    if since + 1 < first:
        raise Problem(
            HTTPStatus.GONE,
            Code.FEED_EXPIRED,
            f"Changes before {first} are kept no longer; read the documents anew, and go on with since={first - 1}.",
        )


def _change(row: Change) -> dict[str, Any]:
    return {
        "feed": row.feed,
        "change_id": str(row.change_id),
        "type": row.type,
        "id": row.document_id,
        "version": row.version,
        "op": row.op,
        "at": row.at,
        "actor": row.actor,
        "changed": row.changed,
        "document": None if row.body is None else orjson.Fragment(row.body),
    }
