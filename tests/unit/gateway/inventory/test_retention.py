"""How long changes are kept, and answers to repeated requests."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from gateway.identity.models import User
from gateway.inventory import retention
from gateway.inventory.models import Change, Document, IdempotencyKey, RelayState
from tests.support.inventory import put
from tests.unit.gateway.inventory.conftest import Ask

PATCH = "application/merge-patch+json"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def aged(db: None, settings: Settings) -> None:
    """Eight changes: one a day, the newest of today; six are published, seven numbered."""
    del db
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"history_days": 3})
    for number in range(8):
        put(f"product/A-{number}", {"sku": f"A-{number}", "name": "Hammer"})
    for number, change in enumerate(Change.objects.order_by("sequence")):
        feed = number + 1 if number < 7 else None
        Change.objects.filter(pk=change.pk).update(feed=feed, at=NOW - timedelta(days=7 - number))
    RelayState.objects.create(pk=1, last_feed=6)


def clean() -> list[int | None]:
    """Clean, and return the numbers that are left."""
    retention.clean(NOW, threading.Event())
    return list(Change.objects.order_by("sequence").values_list("feed", flat=True))


def test_changes_are_deleted_from_the_oldest_to_the_first_that_is_kept(aged: None, ask: Ask) -> None:
    del aged
    assert clean() == [5, 6, 7, None]
    assert clean() == [5, 6, 7, None]
    assert Document.objects.filter(body__isnull=False).count() == 8
    assert ask("GET", "/inventory-changes?since=3").json()["code"] == "feed_expired"
    assert [each["feed"] for each in ask("GET", "/inventory-changes?since=4").json()["changes"]] == [5, 6]
    history = ask("GET", "/inventory/product/A-0/history").json()
    assert (history["versions"], history["index_state"]) == ([], "published")
    assert ask("PATCH", "/inventory/product/A-0", {"name": "Saw"}, If_Match='"1"', media_type=PATCH).status_code == 200
    assert ask("GET", "/inventory/product/A-7/history").json()["index_state"] == "pending"


def test_without_a_number_of_days_all_are_kept(aged: None, settings: Settings) -> None:
    del aged
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"history_days": None})
    assert len(clean()) == 8


def test_a_change_that_is_not_published_is_kept_however_old_it_is(aged: None) -> None:
    del aged
    Change.objects.update(at=NOW - timedelta(days=100))
    assert clean() == [7, None]


def test_a_late_number_keeps_the_older_changes_behind_it(aged: None) -> None:
    del aged
    Change.objects.filter(feed=2).update(at=NOW)
    assert clean() == [2, 3, 4, 5, 6, 7, None]


def test_many_are_deleted_in_parts(aged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del aged
    monkeypatch.setattr(retention, "_CHUNK", 2)
    assert clean() == [5, 6, 7, None]


def test_a_place_before_all_that_was_deleted_is_gone(aged: None, ask: Ask) -> None:
    del aged
    Change.objects.all().delete()
    assert ask("GET", "/inventory-changes?since=5").json()["code"] == "feed_expired"
    assert ask("GET", "/inventory-changes?since=6").json()["changes"] == []


def test_expired_answers_are_deleted(aged: None, settings: Settings) -> None:
    del aged
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"history_days": None})
    user = User.objects.create(username="adapter")
    for hours in (-1, 1):
        IdempotencyKey.objects.create(
            user=user,
            key=str(hours),
            digest="",
            status=200,
            headers={},
            body="",
            expires_at=NOW + timedelta(hours=hours),
        )
    clean()
    assert [each.key for each in IdempotencyKey.objects.all()] == ["1"]
