"""The follower without servers: who is told of which changes, once, in their order."""

from typing import Any

import orjson
import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings

from gateway.identity.models import User
from gateway.inventory.import_lines import Line
from gateway.inventory.imports import Account, Import
from gateway.inventory.models import Change, Operation
from gateway.notify import follower
from gateway.notify.audience import concerns
from gateway.notify.models import Channel, Delivery, FollowerState, Notification, Subscription
from tests.support.gateway import configure
from tests.support.inventory import AUTHOR, TEXT, declare, delete, patch, put
from tests.unit.gateway.notify.conftest import Follow

pytestmark = pytest.mark.django_db

_THING = {"name": TEXT, "size": {"type": "integer"}}


@pytest.fixture(autouse=True)
def _thing(people: dict[str, User], settings: Settings) -> None:
    del people
    configure(settings, search_indices=("thing-index", "open-index"))
    declare("thing", _THING, public=True)


def _told(user: User) -> list[tuple[Any, ...]]:
    rows = Notification.objects.filter(recipient=user).exclude(number=None).order_by("number")
    return [(row.number, row.data.get("id"), row.data.get("op")) for row in rows]


def _mailed() -> set[str]:
    mails = Delivery.objects.filter(channel=Channel.EMAIL)
    return set(mails.values_list("notification__recipient__username", flat=True))


def _subscribe(user: User, members: list[str] | None = None, *, email: bool = False, webhook: str = "") -> Subscription:
    now = user.date_joined
    return Subscription.objects.create(
        user=user, type="thing", members=members or [], email=email, webhook=webhook, created_at=now, updated_at=now
    )


def _import(documents: list[dict[str, Any]], actor: User) -> None:
    job = Import("thing", actor, AUTHOR)
    account = Account()
    for _ in job.run((Line(orjson.dumps(each)) for each in documents), account):
        pass
    assert not account.results["failed"]


def test_the_other_administrators_are_told_by_inbox_and_mail(people: dict[str, User], follow: Follow) -> None:
    User.objects.filter(username="adapter").update(username="someone")
    User.objects.filter(username="bo").update(username="adapter")
    put("thing/a", {"name": "x"})
    patch("thing/a", {"name": "y"})
    delete("thing/a")
    follow()
    assert _told(people["ada"]) == [(1, "a", "create"), (2, "a", "patch"), (3, "a", "delete")]
    assert _told(people["bo"]) == _told(people["cem"]) == []
    assert _mailed() == {"ada"}


def test_a_type_tells_the_roles_that_it_names(people: dict[str, User], follow: Follow) -> None:
    declare("quiet", _THING, notify=[])
    declare("open", _THING, notify=["searcher"], public=True)
    put("quiet/a", {"name": "x"})
    put("open/b", {"name": "x"})
    follow()
    assert _told(people["ada"]) == []
    assert _told(people["cem"]) == [(1, "b", "create")]


def test_nobody_is_told_of_a_type_that_they_may_not_read_or_after_they_were_deactivated(
    people: dict[str, User], follow: Follow
) -> None:
    declare("secret", _THING, notify=["searcher"], public=True)
    put("secret/a", {"name": "x"})
    _subscribe(people["cem"])
    User.objects.filter(username="cem").update(is_active=False)
    put("thing/a", {"name": "x"})
    follow()
    assert _told(people["cem"]) == []


def test_an_address_that_is_not_confirmed_gets_no_mail(people: dict[str, User], follow: Follow) -> None:
    User.objects.filter(username="bo").update(email_verified=False)
    put("thing/a", {"name": "x"})
    follow()
    assert _told(people["bo"]) == [(1, "a", "create")]
    assert _mailed() == {"ada"}


def test_a_gateway_without_mail_queues_none(people: dict[str, User], follow: Follow, settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"mail_url": None})
    put("thing/a", {"name": "x"})
    follow()
    assert (len(_told(people["ada"])), Delivery.objects.count()) == (1, 0)


def test_a_subscription_tells_of_its_members_alone(people: dict[str, User], follow: Follow) -> None:
    _subscribe(people["cem"], ["/size"], email=True)
    put("thing/a", {"name": "x"})
    patch("thing/a", {"name": "y"})
    patch("thing/a", {"size": 3})
    follow()
    assert [op for _, _, op in _told(people["cem"])] == ["create", "patch"]
    assert Notification.objects.filter(recipient=people["cem"]).last().data["changed"] == ["/size"]  # type: ignore[union-attr]
    assert "cem" in _mailed()


def test_who_has_subscribed_is_told_by_the_subscription_and_the_rest_of_the_role_stays_in_the_inbox(
    people: dict[str, User], follow: Follow
) -> None:
    put("thing/a", {"name": "x"})
    follow()
    Delivery.objects.all().delete()
    webhook = _subscribe(people["ada"], ["/size"], webhook="https://example.com/")
    patch("thing/a", {"name": "y"})
    patch("thing/a", {"size": 3})
    follow()
    assert len(_told(people["ada"])) == 3
    assert _mailed() == {"bo"}
    [delivery] = Delivery.objects.filter(channel=Channel.WEBHOOK)
    assert (delivery.subscription, delivery.notification.number) == (webhook, 3)


def test_two_subscriptions_to_one_change_are_one_notification(people: dict[str, User], follow: Follow) -> None:
    first = _subscribe(people["cem"], webhook="https://example.com/1")
    second = _subscribe(people["cem"], ["/name"], webhook="https://example.com/2", email=True)
    put("thing/a", {"name": "x"})
    follow()
    assert len(_told(people["cem"])) == 1
    mine = Delivery.objects.filter(notification__recipient=people["cem"])
    assert {each.subscription_id for each in mine} == {None, first.pk, second.pk}


def test_a_write_that_is_rolled_back_tells_nobody(people: dict[str, User], follow: Follow) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        put("thing/a", {"name": "x"})
        raise KeyError
    put("thing/b", {"name": "x"})
    follow()
    assert _told(people["ada"]) == [(1, "b", "create")]


def test_a_step_that_fails_is_made_again_and_tells_nobody_twice(
    people: dict[str, User], follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("thing/a", {"name": "x"})

    def fail(*_: object) -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(follower, "_collect", fail)
        with pytest.raises(DatabaseError):
            follow()
    assert _told(people["ada"]) == []
    follow()
    follow()
    assert _told(people["ada"]) == [(1, "a", "create")]


def test_a_cursor_that_went_back_tells_nobody_twice(people: dict[str, User], follow: Follow) -> None:
    put("thing/a", {"name": "x"})
    follow()
    FollowerState.objects.update(last_feed=0)
    follow()
    assert (len(_told(people["ada"])), Delivery.objects.filter(notification__recipient=people["ada"]).count()) == (1, 1)


def test_a_step_ends_where_there_is_enough_to_tell(
    people: dict[str, User], follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "MAX_ADDRESSED", 3)
    for number in range(9):
        put(f"thing/{number}", {"name": "x"})
    follow()
    assert [document for _, document, _ in _told(people["ada"])] == [str(number) for number in range(9)]


def test_an_erasure_is_nobodys_news(people: dict[str, User], follow: Follow) -> None:
    put("thing/a", {"name": "x"})
    Change.objects.update(op=Operation.ERASE)
    follow()
    assert _told(people["ada"]) == []


def test_an_import_is_one_message_once_it_has_ended(people: dict[str, User], follow: Follow) -> None:
    _subscribe(people["cem"], ["/size"], email=True)
    _import([{"_id": f"d{number}", "name": "x"} for number in range(700)], people["adapter"])
    follow()
    assert _told(people["ada"]) == [] and not Delivery.objects.exists()
    follow(11)
    [row] = Notification.objects.filter(recipient=people["ada"])
    assert (row.number, row.kind, row.data["type"], row.data["changes"]) == (1, "inventory.imported", "thing", 700)
    assert _mailed() == {"ada", "bo", "cem"}
    follow(11)
    assert Delivery.objects.count() == 3


def test_an_import_that_goes_on_is_not_told_of_before_its_last_part(people: dict[str, User], follow: Follow) -> None:
    _import([{"_id": f"d{number}", "name": "x"} for number in range(600)], people["adapter"])
    # Of a long import, which the relay numbers much later, a part at a time.
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(follower, "BATCH", 100)
        follow(11)
    assert [row.data["changes"] for row in Notification.objects.filter(recipient=people["ada"])] == [600]
    assert len(Delivery.objects.filter(notification__recipient=people["ada"])) == 1


def test_what_an_import_changes_late_is_added_and_is_no_second_message(people: dict[str, User], follow: Follow) -> None:
    job = Import("thing", people["adapter"], AUTHOR)
    for some in ("a", "b"):
        for _ in job.run([Line(orjson.dumps({"_id": some, "name": "x"}))], Account()):
            pass
        follow(11)
    [row] = Notification.objects.filter(recipient=people["ada"])
    assert (row.number, row.data["changes"]) == (1, 2)
    assert Delivery.objects.filter(notification=row).count() == 1


def test_two_imports_are_two_messages(people: dict[str, User], follow: Follow) -> None:
    for some in ("a", "b"):
        _import([{"_id": some, "name": "x"}], people["adapter"])
    follow(11)
    assert [number for number, _, _ in _told(people["ada"])] == [1, 2]


@pytest.mark.parametrize(
    ("members", "changed", "expected"),
    [
        ([], ["/a"], True),
        (["/a"], [""], True),
        (["/a"], ["/a"], True),
        (["/a"], ["/a/b"], True),
        (["/a/b"], ["/a"], True),
        (["/a"], ["/ab"], False),
        (["/a", "/b"], ["/c", "/b"], True),
        (["/a"], [], False),
    ],
)
def test_a_member_stands_for_everything_below_it(members: list[str], changed: list[str], expected: bool) -> None:
    assert concerns(members, changed) is expected
