"""The feed of changes."""

import pytest
from pytest_django import Settings

from contracts.query_event.event import AuditEvent
from gateway.identity.models import User
from gateway.inventory.models import Change, RelayState
from tests.unit.gateway.inventory.conftest import Ask


@pytest.fixture
def published(ask: Ask) -> None:
    """Six changes of two types, of which five are published."""
    ask("PUT", "/inventory/service/knee", {"name": "Knee"})
    for number in range(5):
        ask("PUT", f"/inventory/product/A-{number}", {"sku": f"A-{number}", "name": "Hammer"})
    changes = list(Change.objects.order_by("sequence"))
    for feed, change in enumerate(changes, 1):
        Change.objects.filter(pk=change.pk).update(feed=feed)
    RelayState.objects.create(pk=1, last_feed=5)


def test_changes_come_in_their_order_and_none_is_skipped_or_comes_twice(ask: Ask, published: None) -> None:
    del published
    read, since = [], 0
    while page := ask("GET", f"/inventory-changes?since={since}&size=2").json():
        read += [change["feed"] for change in page["changes"]]
        since = page["next"]
        if not page["changes"]:
            break
    assert read == [1, 2, 3, 4, 5]
    assert since == 5
    change = ask("GET", "/inventory-changes?since=4").json()["changes"][0]
    assert change["document"] == {"sku": "A-3", "name": "Hammer"}
    assert (change["type"], change["id"], change["version"], change["op"]) == ("product", "A-3", 1, "create")


def test_a_reader_gets_the_changes_of_the_types_that_are_granted_and_not_those_of_public_ones(
    ask: Ask, published: None, trail: list[AuditEvent], settings: Settings
) -> None:
    del published
    assert ask("GET", "/inventory-changes?since=0", user="reader").json()["changes"] == []
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"search_indices": ("products",)})
    User.objects.filter(username="reader").update(granted_indices=["products"])
    answer = ask("GET", "/inventory-changes?since=0", user="reader").json()
    assert {change["type"] for change in answer["changes"]} == {"product"}
    assert answer["next"] == 5
    assert (trail[-1].event_type, trail[-1].data.hits) == ("inventory.read", 4)
    assert ask("GET", "/inventory-changes", user=None).status_code == 401


def test_the_feed_is_read_from_the_greatest_number_that_there_can_be(ask: Ask) -> None:
    assert ask("GET", f"/inventory-changes?since={2**53 - 1}").json()["changes"] == []
    assert ask("GET", f"/inventory-changes?since={2**53}").status_code == 400


def test_a_place_whose_changes_are_pruned_is_gone(ask: Ask, published: None) -> None:
    del published
    Change.objects.filter(feed__lte=3).delete()
    gone = ask("GET", "/inventory-changes?since=2")
    assert (gone.status_code, gone.json()["code"]) == (410, "feed_expired")
    assert "since=3" in gone.json()["detail"]
    assert [change["feed"] for change in ask("GET", "/inventory-changes?since=3").json()["changes"]] == [4, 5]


@pytest.mark.parametrize("query", ["since=-1", "since=a", "size=0", "size=1001", "q=a", "since=1&since=2"])
def test_a_malformed_place_is_refused(ask: Ask, query: str) -> None:
    refused = ask("GET", f"/inventory-changes?{query}")
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
