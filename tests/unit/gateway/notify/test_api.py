"""The API of notifications without servers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.query_event.event import AuditEvent
from gateway.http.problems import Code, Unavailable
from gateway.identity.models import User
from gateway.inventory.relay import outbox
from gateway.inventory.relay.lease import Lease
from gateway.notify import follower, subscription_views
from gateway.notify.deliveries import given_up
from gateway.notify.inbox import Addressed, Channels, Message, tell, tell_each
from gateway.notify.models import Delivery, Kind, State, Subscription
from gateway.notify.webhooks import read_secret
from tests.unit.gateway.inventory.conftest import Ask, ask, trail
from tests.unit.gateway.notify.conftest import mailing

__all__ = ["ask", "mailing", "trail"]

_NOW = datetime.now(UTC)
_PRODUCT = {"type": "product"}
_HOOK = "https://example.com/hooks/secret-part"


def _tell(name: str, *sources: str, email: bool = False) -> None:
    user = User.objects.get(username=name)
    messages = [Message(Kind.SAVED_CHANGED, source, _NOW, None, {"search": source}) for source in sources]
    tell_each([Addressed(message, user.pk, Channels(email=email)) for message in messages])


def _sources(answer: Any) -> list[str]:
    return [each["data"]["search"] for each in answer.json()["notifications"]]


def test_an_inbox_is_read_on_from_any_number(ask: Ask) -> None:
    assert ask("GET", "/notifications").json() == {"notifications": [], "next": 0, "last": 0, "unread": 0}
    _tell("ada", *"abcde")
    _tell("reader", "x")
    first = ask("GET", "/notifications?size=2").json()
    assert (len(first["notifications"]), first["next"], first["last"], first["unread"]) == (2, 2, 5, 5)
    assert _sources(ask("GET", f"/notifications?after={first['next']}")) == ["c", "d", "e"]
    assert ask("GET", "/notifications?after=5").json()["next"] == 5
    _tell("ada", "f")
    assert _sources(ask("GET", "/notifications?after=5")) == ["f"]
    assert _sources(ask("GET", "/notifications", user="reader")) == ["x"]


def test_a_change_is_told_with_what_it_was(ask: Ask) -> None:
    User.objects.create(username="bo", role="admin")
    assert ask("PUT", "/inventory/product/h-1", {"sku": "h-1", "name": "Hammer"}).status_code == 201
    lease = Lease("worker")
    assert lease.acquire() and outbox.number(lease)
    follower.turn(_NOW)
    [told] = ask("GET", "/notifications", user="bo").json()["notifications"]
    assert told.pop("at")
    assert told == {
        "number": 1,
        "kind": "inventory.changed",
        "actor": "ada",
        "data": {"type": "product", "id": "h-1", "version": 1, "op": "create", "changed": [""]},
        "read": False,
    }
    assert ask("GET", "/notifications").json()["notifications"] == []


def test_notifications_are_marked_as_read_up_to_a_number_or_one_by_one(ask: Ask) -> None:
    _tell("ada", *"abcde")
    _tell("reader", "x")
    assert ask("POST", "/notifications/read", {"up_to": 2}).json() == {"unread": 3}
    assert ask("POST", "/notifications/read", {"numbers": [5, 99]}).json() == {"unread": 2}
    assert [each["read"] for each in ask("GET", "/notifications").json()["notifications"]] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert ask("GET", "/notifications", user="reader").json()["unread"] == 1


_NOBODYS = "f067d754-8109-411b-a526-72614bbd09d9"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/notifications?after=-1", None, 400),
        ("GET", "/notifications?size=101", None, 400),
        ("GET", "/notifications?before=3", None, 400),
        ("GET", "/notifications?after=1&after=2", None, 400),
        ("POST", "/notifications/read", {}, 400),
        ("POST", "/notifications/read", {"up_to": 1, "numbers": [1]}, 400),
        ("POST", "/notifications/read", {"numbers": ["1"]}, 400),
        ("POST", "/notifications/read", {"numbers": [0]}, 400),
        ("POST", "/notifications/read", {"up_to": 2**60}, 400),
        ("GET", "/notifications/read", None, 405),
        ("DELETE", "/notifications", None, 405),
        ("GET", "/subscriptions?a=b", None, 400),
        ("POST", "/subscriptions", [], 400),
        ("POST", "/subscriptions", {"type": 3}, 400),
        ("POST", "/subscriptions", {"type": "../x"}, 400),
        ("POST", "/subscriptions", {"type": "nothing"}, 404),
        ("POST", "/subscriptions", _PRODUCT | {"members": ["price"]}, 400),
        ("POST", "/subscriptions", _PRODUCT | {"members": ["/p"] * 21}, 400),
        ("POST", "/subscriptions", _PRODUCT | {"members": ["/" + "p" * 255]}, 400),
        ("POST", "/subscriptions", _PRODUCT | {"webhook": "http://example.com"}, 400),
        ("POST", "/subscriptions", _PRODUCT | {"webhook": ""}, 400),
        ("POST", "/subscriptions", _PRODUCT | {"webhook": "https://169.254.169.254/latest"}, 400),
        ("POST", "/subscriptions", _PRODUCT | {"email": 1}, 400),
        ("POST", "/subscriptions", _PRODUCT | {"query": "price > 3"}, 400),
        ("POST", "/subscriptions", b'{"type": "product", "type": "product"}', 400),
        ("POST", "/subscriptions", b"x" * 20_000, 413),
        ("GET", "/subscriptions/1", None, 404),
        ("PUT", f"/subscriptions/{_NOBODYS}", _PRODUCT, 404),
        ("DELETE", f"/subscriptions/{_NOBODYS}", None, 404),
        ("POST", f"/subscriptions/{_NOBODYS}", _PRODUCT, 405),
        ("GET", "/deliveries?state=lost", None, 400),
        ("GET", "/deliveries?after=7", None, 400),
        ("GET", "/deliveries?size=0", None, 400),
        ("POST", "/deliveries/7/resend", None, 404),
        ("POST", f"/deliveries/{_NOBODYS}/resend", None, 404),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(ask: Ask, method: str, path: str, body: Any, status: int) -> None:
    answer = ask(method, path, body, If_Match="*") if method in ("PUT", "DELETE") else ask(method, path, body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/notifications", "/subscriptions", "/deliveries"])
def test_an_unknown_caller_gets_nothing(ask: Ask, path: str) -> None:
    assert ask("GET", path, user=None).status_code == 401
    assert ask("POST", "/notifications/read", {"up_to": 1}, user=None).status_code == 401
    assert ask("POST", "/subscriptions", _PRODUCT, user=None).status_code == 401


def test_a_subscription_is_made_changed_and_deleted_by_its_version(ask: Ask, trail: list[AuditEvent]) -> None:
    made = ask("POST", "/subscriptions", _PRODUCT | {"members": ["/price", "/price"]}, user="adapter")
    assert (made.status_code, made["ETag"]) == (201, '"1"')
    path = made["Location"]
    assert path == f"/subscriptions/{made.json()['id']}"
    assert made.json()["members"] == ["/price"] and "secret" not in made.json()
    read = ask("GET", path, user="adapter")
    assert (read.json(), read["ETag"]) == (made.json(), '"1"')
    assert ask("GET", "/subscriptions", user="adapter").json() == {"subscriptions": [made.json()]}
    wanted = _PRODUCT | {"members": ["/name"]}
    assert ask("PUT", path, wanted, user="adapter").status_code == 428
    assert ask("PUT", path, wanted, user="adapter", If_Match='W/"1"').status_code == 412
    changed = ask("PUT", path, wanted, user="adapter", If_Match='"1"')
    assert (changed.status_code, changed["ETag"], changed.json()["members"]) == (200, '"2"', ["/name"])
    late = ask("PUT", path, _PRODUCT, user="adapter", If_Match='"1"')
    assert (late.status_code, late["ETag"], late.json()["code"]) == (412, '"2"', "precondition_failed")
    same = ask("PUT", path, wanted, user="adapter", If_Match='"2"')
    assert (same.status_code, same["ETag"]) == (200, '"2"')
    assert ask("DELETE", path, user="adapter").status_code == 428
    assert ask("DELETE", path, user="adapter", If_Match='"1"').status_code == 412
    assert ask("DELETE", path, user="adapter", If_Match='"2"').status_code == 204
    assert ask("GET", path, user="adapter").status_code == 404
    said = [event.data.query for event in trail if event.event_type == "admin.changed"]
    assert [each.split()[0] for each in said if each] == ["add", "change", "delete"]


def test_somebody_elses_subscription_is_none(ask: Ask) -> None:
    path = ask("POST", "/subscriptions", _PRODUCT, user="adapter")["Location"]
    for method, body in (("GET", None), ("PUT", _PRODUCT), ("DELETE", None)):
        assert ask(method, path, body, If_Match="*").status_code == 404
    assert Subscription.objects.count() == 1


def test_who_may_not_read_the_history_of_a_type_cannot_subscribe_to_it(ask: Ask) -> None:
    public = ask("POST", "/subscriptions", _PRODUCT, user="reader")
    denied = ask("POST", "/subscriptions", {"type": "device"}, user="reader")
    unknown = ask("POST", "/subscriptions", {"type": "nothing"}, user="reader")
    assert public.status_code == denied.status_code == unknown.status_code == 403
    assert denied.json()["detail"].replace("device", "nothing") == unknown.json()["detail"]


def test_the_secret_of_a_webhook_is_shown_once_and_kept_sealed(ask: Ask, trail: list[AuditEvent]) -> None:
    made = ask("POST", "/subscriptions", _PRODUCT | {"webhook": _HOOK}, user="adapter")
    secret, path = made.json()["secret"], made["Location"]
    assert secret.startswith("whsec_")
    row = Subscription.objects.get()
    assert secret not in row.sealed_secret and read_secret(row.sealed_secret) == secret
    assert "secret" not in ask("GET", path, user="adapter").json()
    same = ask("PUT", path, _PRODUCT | {"webhook": _HOOK, "members": ["/price"]}, user="adapter", If_Match='"1"')
    assert "secret" not in same.json()
    assert Subscription.objects.get().sealed_secret == row.sealed_secret
    other = ask("PUT", path, _PRODUCT | {"webhook": f"{_HOOK}2"}, user="adapter", If_Match='"2"')
    assert other.json()["secret"] != secret
    none = ask("PUT", path, _PRODUCT, user="adapter", If_Match='"3"')
    assert (none.json()["webhook"], Subscription.objects.get().sealed_secret) == (None, "")
    assert "secret-part" not in str(trail)


def test_mail_takes_an_address_that_is_confirmed(ask: Ask, mailing: Any) -> None:
    wanted = _PRODUCT | {"email": True}
    refused = ask("POST", "/subscriptions", wanted, user="adapter")
    assert (refused.status_code, "confirmed" in refused.json()["detail"]) == (400, True)
    User.objects.filter(username="adapter").update(email="r@example.com", email_verified=True)
    assert ask("POST", "/subscriptions", wanted, user="adapter").json()["email"] is True
    mailing.GATEWAY = mailing.GATEWAY.model_copy(update={"mail_url": None})
    assert "GATEWAY_MAIL_URL" in ask("POST", "/subscriptions", wanted, user="adapter").json()["detail"]


def test_a_user_has_so_many_subscriptions(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription_views, "MAX_SUBSCRIPTIONS", 2)
    made = [ask("POST", "/subscriptions", _PRODUCT, user="adapter").status_code for _ in range(3)]
    assert made == [201, 201, 400]


def test_a_subscription_that_cannot_be_recorded_is_not_made(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise Unavailable(Code.AUDIT_UNAVAILABLE, "The audit trail cannot be written.")

    monkeypatch.setattr("gateway.notify.subscription_views.record_event", fail)
    assert ask("POST", "/subscriptions", _PRODUCT).status_code == 503
    assert not Subscription.objects.exists()


def test_deliveries_are_seen_by_their_recipients_and_by_administrators(ask: Ask, mailing: Any) -> None:
    del mailing
    _tell("ada", "a", email=True)
    _tell("reader", "x", "y", email=True)
    rows = list(Delivery.objects.order_by("pk"))
    given_up(rows[1].pk, "OSError", _NOW)
    everybody = ask("GET", "/deliveries").json()["deliveries"]
    assert [each["user"] for each in everybody] == ["ada", "reader", "reader"]
    mine = ask("GET", "/deliveries", user="reader").json()["deliveries"]
    assert [(each["state"], each["error"], each["notification"]) for each in mine] == [
        ("dead", "OSError", 1),
        ("pending", None, 2),
    ]
    assert [each["id"] for each in ask("GET", "/deliveries?state=dead").json()["deliveries"]] == [str(rows[1].pk)]
    page = ask("GET", "/deliveries?size=2").json()
    assert page["next"] == str(rows[1].pk)
    rest = ask("GET", f"/deliveries?after={page['next']}").json()
    assert ([each["id"] for each in rest["deliveries"]], rest["next"]) == ([str(rows[2].pk)], None)


def test_a_dead_delivery_is_sent_again_by_its_recipient_or_an_administrator(
    ask: Ask, mailing: Any, trail: list[AuditEvent]
) -> None:
    del mailing
    _tell("ada", "a", email=True)
    _tell("reader", "x", email=True)
    mine, theirs = Delivery.objects.order_by("pk")
    for row in (mine, theirs):
        given_up(row.pk, "OSError", _NOW)
    assert ask("POST", f"/deliveries/{mine.pk}/resend", user="reader").status_code == 404
    for user, row in (("reader", theirs), ("ada", mine)):
        answer = ask("POST", f"/deliveries/{row.pk}/resend", user=user).json()
        assert (answer["state"], answer["attempts"], UUID(answer["id"])) == ("pending", 0, row.pk)
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.PENDING}
    before = Delivery.objects.get(pk=mine.pk).queued_at
    assert ask("POST", f"/deliveries/{mine.pk}/resend").status_code == 200
    assert Delivery.objects.get(pk=mine.pk).queued_at == before
    assert sum(event.event_type == "admin.changed" for event in trail) == 2


def test_an_inbox_that_is_asked_for_often_fills_no_audit_trail(ask: Ask, trail: list[AuditEvent]) -> None:
    tell(Message(Kind.SAVED_CHANGED, "a", _NOW, None, {}), [User.objects.get(username="ada").pk])
    ask("GET", "/notifications")
    ask("POST", "/notifications/read", {"up_to": 1})
    assert trail == []
    ask("GET", "/subscriptions")
    assert [event.event_type for event in trail] == ["inventory.read"]
