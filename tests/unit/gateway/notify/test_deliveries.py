"""The queue of deliveries and their sender without servers: claims, pauses, death, and sending again."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from contracts.query_event.event import AuditEvent
from gateway.identity.models import User
from gateway.notify import deliveries, upkeep
from gateway.notify.deliveries import CLAIM, MAX_AGE, MAX_ATTEMPTS, claim, failed, resend
from gateway.notify.inbox import Addressed, Channels, Message, tell_each
from gateway.notify.models import Channel, Delivery, Kind, Notification, State
from gateway.notify.outcomes import Permanent, Withdrawn
from gateway.notify.sender import Sender
from gateway.notify.webhooks import Refused

_NOW = datetime.now(UTC)

NewDeliveries = Callable[..., list[Delivery]]


@pytest.fixture
def new(people: dict[str, User]) -> NewDeliveries:
    """Queue mails to a user."""

    def make(count: int = 1, user: str = "ada") -> list[Delivery]:
        before = Notification.objects.count()
        message = Message(Kind.SAVED_CHANGED, "", _NOW, None, {})
        tell_each(
            [
                Addressed(
                    Message(message.kind, f"{user} {before + number}", _NOW, None, {}),
                    people[user].pk,
                    Channels(email=True),
                )
                for number in range(count)
            ]
        )
        return list(Delivery.objects.filter(target=f"user {people[user].pk}").order_by("pk"))

    return make


def _claim(now: datetime, room: int = 4, busy: frozenset[str] = frozenset()) -> list[Delivery]:
    return claim(Channel.EMAIL, room, busy, now)


def _soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


def test_one_of_a_target_is_claimed_at_a_time_the_oldest_first(new: NewDeliveries) -> None:
    mine, others = new(3), new(2, "bo")
    claimed = _claim(_soon())
    assert [delivery.pk for delivery in claimed] == [mine[0].pk, others[0].pk]
    assert {delivery.attempts for delivery in claimed} == {1}
    assert [delivery.pk for delivery in _claim(_soon(), busy=frozenset([mine[0].target]))] == [others[1].pk]
    assert len(_claim(_soon(), room=0)) == 0


def test_what_is_claimed_is_due_again_when_its_worker_is_killed(new: NewDeliveries) -> None:
    [delivery] = new()
    now = _soon()
    assert [each.pk for each in _claim(now)] == [delivery.pk]
    assert not _claim(now + CLAIM - timedelta(seconds=1))
    [again] = _claim(now + CLAIM)
    assert (again.pk, again.attempts) == (delivery.pk, 2)


def test_pauses_grow_from_five_seconds_to_a_day_and_then_it_is_dead(
    new: NewDeliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random.Random, "uniform", lambda _self, _low, high: high)
    [delivery] = new()
    pauses = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        delivery.attempts = attempt
        is_dead = failed(delivery, "SMTPServerDisconnected", _NOW, random.Random())
        assert is_dead is (attempt == MAX_ATTEMPTS)
        if not is_dead:
            pauses.append((Delivery.objects.get().next_at - _NOW).total_seconds())
    assert pauses == [5.0 * 2**exponent for exponent in range(15)] + [24 * 3600.0]
    assert sum(pauses) < MAX_AGE.total_seconds()
    dead = Delivery.objects.get()
    assert (dead.state, dead.last_error) == (State.DEAD, "SMTPServerDisconnected")
    assert not _claim(_NOW + timedelta(days=9))


def test_what_has_waited_too_long_is_dead(new: NewDeliveries) -> None:
    [delivery] = new()
    upkeep.clean(delivery.queued_at + MAX_AGE - timedelta(minutes=1))
    assert Delivery.objects.get().state == State.PENDING
    upkeep.clean(delivery.queued_at + MAX_AGE + timedelta(minutes=1))
    assert Delivery.objects.get().state == State.DEAD


def test_notifications_are_deleted_after_their_days_with_their_deliveries(new: NewDeliveries) -> None:
    new()
    upkeep.clean(_NOW + timedelta(days=89))
    assert Notification.objects.exists()
    upkeep.clean(_NOW + timedelta(days=91))
    assert not Notification.objects.exists() and not Delivery.objects.exists()


def test_the_dead_are_sent_again_under_their_ids_with_all_their_tries(new: NewDeliveries) -> None:
    first, second = new(2)
    for delivery in (first, second):
        deliveries.given_up(delivery.pk, "gone", _NOW)
    later = _NOW + timedelta(days=9)
    assert resend([first.pk], later) == 1
    [again] = _claim(later)
    assert (again.pk, again.attempts, again.queued_at) == (first.pk, 1, later)
    assert resend(None, later) == 1


def test_the_command_lists_the_dead_and_sends_them_again(new: NewDeliveries, recorded: list[AuditEvent]) -> None:
    first, second = new(2)
    deliveries.given_up(first.pk, "the receiver answered 410", _NOW)
    out = StringIO()
    call_command("deliveries", stdout=out)
    assert out.getvalue() == f"{first.pk}  email    ada  0 tries  the receiver answered 410\n"
    for ids in ([str(second.pk)], []):
        call_command("deliveries", *ids, "--resend", stdout=out)
    assert out.getvalue().endswith("0 are sent again\n1 are sent again\n")
    assert [event.data.query for event in recorded] == ["send 1 dead deliveries again"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.PENDING}


class _Line:  # pylint: disable=too-few-public-methods  # it stands for threads
    """Does at once what threads would do."""

    def submit(self, work: Callable[[Delivery], None], delivery: Delivery) -> None:
        """Do it."""
        work(delivery)


_THREADS: ThreadPoolExecutor = _Line()  # type: ignore[assignment]  # as it is used here


def _send(monkeypatch: pytest.MonkeyPatch, outcome: Exception | None) -> tuple[Sender, list[Delivery]]:
    """A sender that works in the test's thread, and what it has sent."""
    tried: list[Delivery] = []

    def send(delivery: Delivery) -> None:
        tried.append(delivery)
        if outcome is not None:
            raise outcome

    monkeypatch.setattr("gateway.notify.sender.connection.close", lambda: None)
    sender = Sender(Channel.EMAIL, send)
    sender.turn(_THREADS)
    return sender, tried


@pytest.mark.parametrize(
    ("outcome", "state", "error"),
    [
        (None, State.SENT, ""),
        (Permanent("the mail server refuses the address"), State.DEAD, "the mail server refuses the address"),
        (Refused("the receiver answered 503"), State.PENDING, "the receiver answered 503"),
        (OSError("ada@example.com at 192.0.2.1"), State.PENDING, "OSError"),
    ],
)
def test_what_becomes_of_a_try(
    new: NewDeliveries, monkeypatch: pytest.MonkeyPatch, outcome: Exception | None, state: State, error: str
) -> None:
    new()
    _send(monkeypatch, outcome)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error, delivery.attempts) == (state, error, 1)


def test_what_is_not_wanted_any_more_is_no_dead_delivery(new: NewDeliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    new()
    _send(monkeypatch, Withdrawn())
    assert not Delivery.objects.exists() and Notification.objects.count() == 1


def test_a_target_that_fails_rests_and_the_others_do_not(new: NewDeliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random.Random, "uniform", lambda _self, _low, high: high)
    new(3)
    new(3, "bo")
    sender, tried = _send(monkeypatch, Refused("the receiver answered 503"))
    assert len({delivery.target for delivery in tried}) == len(tried) == 2
    sender.turn(_THREADS)
    assert len(tried) == 2
    new(1, "cem")
    sender.turn(_THREADS)
    assert len(tried) == 3


def test_a_delivery_that_was_deleted_meanwhile_is_not_sent(new: NewDeliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    new()
    monkeypatch.setattr(deliveries, "read", lambda _: None)
    _, tried = _send(monkeypatch, None)
    assert not tried
