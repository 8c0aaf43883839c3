"""Inboxes without servers: numbers, repeats, transactions, and the bounds of what is sent."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from gateway.identity.models import User
from gateway.notify import inbox
from gateway.notify.inbox import Addressed, Channels, Message, tell, tell_each
from gateway.notify.models import Delivery, Inbox, Kind, Notification, State

pytestmark = pytest.mark.django_db

_NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)
_MAIL = Channels(email=True)


def _message(source: str, actor: int | None = None) -> Message:
    return Message(Kind.SAVED_CHANGED, source, _NOW, actor, {"search": "s1"})


@pytest.fixture
def users() -> list[int]:
    """Three users."""
    return [User.objects.create(username=name).pk for name in ("ada", "bo", "cem")]


def _numbers(user: int) -> list[tuple[int | None, str]]:
    return list(Notification.objects.filter(recipient=user).order_by("number").values_list("number", "source"))


def test_each_inbox_has_numbers_of_its_own_without_a_gap(users: list[int]) -> None:
    tell(_message("a"), users[:2])
    tell(_message("b"), users[1:])
    assert [_numbers(user) for user in users] == [[(1, "a")], [(1, "a"), (2, "b")], [(1, "b")]]
    assert list(Inbox.objects.order_by("pk").values_list("last_number", flat=True)) == [1, 2, 1]


def test_nobody_is_told_of_one_thing_twice(users: list[int]) -> None:
    tell(_message("a"), users[:2])
    tell(_message("a"), [*users, users[0]])
    assert [_numbers(user) for user in users] == [[(1, "a")]] * 3


def test_who_is_no_more_is_left_out(users: list[int]) -> None:
    tell(_message("a"), [users[0], 10**9])
    assert Notification.objects.count() == 1


def test_what_is_rolled_back_was_never_told(users: list[int]) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        tell(_message("a"), users)
        raise KeyError
    assert not Notification.objects.exists()
    tell(_message("b"), users)
    assert _numbers(users[0]) == [(1, "b")]


def test_a_user_who_is_deleted_takes_the_inbox_along_and_is_no_actor_any_more(users: list[int]) -> None:
    tell(_message("a", users[2]), users[:2])
    User.objects.get(pk=users[2]).delete()
    assert set(Notification.objects.values_list("actor", flat=True)) == {None}
    User.objects.get(pk=users[0]).delete()
    assert set(Notification.objects.values_list("recipient", flat=True)) == {users[1]}


def test_mails_to_one_user_within_an_hour_are_bounded_and_the_inbox_is_not(
    users: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAILS_AN_HOUR", 3)
    for batch in ("ab", "cdef"):
        tell_each([Addressed(_message(source), user, _MAIL) for source in batch for user in users[:2]])
    assert len(_numbers(users[0])) == 6
    sent = Delivery.objects.filter(notification__recipient=users[0]).values_list("notification__source", flat=True)
    assert sorted(sent) == ["a", "b", "c"]
    Delivery.objects.update(queued_at=_NOW, state=State.SENT)
    tell_each([Addressed(_message("g"), users[0], _MAIL)])
    assert Delivery.objects.filter(notification__source="g").count() == 1
