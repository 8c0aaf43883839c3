"""Texts of notifications: a mail's subject and body, and a webhook's JSON."""

from urllib.parse import urlencode

import orjson
from django.conf import settings

from contracts.query_event.event import rfc3339
from gateway.inventory.documents import WHOLE
from gateway.inventory.models import Operation
from gateway.notify.models import Kind, Notification

_MAX_LINES = 20
_MAX_CHARACTERS = 100
_DONE = {
    Operation.CREATE: "created",
    Operation.REPLACE: "changed",
    Operation.PATCH: "changed",
    Operation.DELETE: "deleted",
    Operation.RESTORE: "restored",
}


def webhook_body(notification: Notification) -> bytes:
    """The body of a webhook, in the members that Standard Webhooks recommends."""
    data = {"actor": None if notification.actor is None else notification.actor.username, **notification.data}
    return orjson.dumps({"type": notification.kind, "timestamp": rfc3339(notification.at), "data": data})


def subject_of(notification: Notification) -> str:
    """A mail's subject; the names in it have neither spaces nor line breaks."""
    data, by = notification.data, _by(notification)
    if notification.kind == Kind.INVENTORY_IMPORTED:
        return f"{data['type']}: {data['changes']:,} changed by an import{by}"
    if notification.kind == Kind.INVENTORY_CHANGED:
        return f"{data['type']} {data['id']} {_DONE[Operation(data['op'])]}{by}"
    return f"Something shared with you was changed{by}"


def mail_text(notification: Notification) -> str:
    """A mail's text."""
    lines = [f"{subject_of(notification)}.", "", f"When: {rfc3339(notification.at)}"]
    data = notification.data
    if notification.kind == Kind.INVENTORY_CHANGED:
        lines += [f"Version: {data['version']}", *_changed(data["changed"])]
        place = urlencode({"view": "inventory", "type": data["type"], "id": data["id"]})
        lines.append(f"Now: {settings.GATEWAY.public_url}/#{place}")
    lines += [
        "",
        "You get this mail because of your role, or of a subscription.",
        f"How to end a subscription (/subscriptions): {settings.GATEWAY.public_url}/docs/",
    ]
    return "\n".join([*lines, ""])


def _changed(pointers: list[str]) -> list[str]:
    """The members that were changed, as JSON, in which no name can end its line."""
    if pointers == [WHOLE]:
        return []
    shown = [f"  {orjson.dumps(each[:_MAX_CHARACTERS]).decode()}" for each in pointers[:_MAX_LINES]]
    more = [f"  and {len(pointers) - _MAX_LINES} more"] if len(pointers) > _MAX_LINES else []
    return ["Changed:", *shown, *more]


def _by(notification: Notification) -> str:
    return "" if notification.actor is None else f" by {notification.actor.username}"
