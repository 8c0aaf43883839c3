"""The journey: somebody new, with an address and a password, gets by without documentation."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from local.services import OPERATOR, USER, Services
from tests.e2e.console.kept import AUDITOR, ask
from tests.e2e.users import make_user
from tests.support.visit import Visit
from tests.support.waiting import eventually

_NEW = "newcomer"
_JOURNEYS = "journey-"
_ASKED = "OS.Type = Linux and Site = ankara and LastSeen >= now-7d"
_TITLE = "Linux in Ankara, this week"


@pytest.fixture
def newcomer(services: Services) -> Iterator[str]:
    """A user who has never been here."""
    make_user(services, _NEW, "--indices", "devices")
    yield _NEW
    for search in ask(services, "GET", "/searches/?mine=true", _NEW)["searches"]:
        ask(services, "DELETE", f"/searches/{search['id']}", _NEW, if_match="*")


@pytest.fixture
def join(services: Services) -> Iterator[Callable[[str], None]]:
    """Has a device of Ankara join, which was seen just now; all are gone at the end."""

    def put(hostname: str) -> None:
        device: dict[str, Any] = {"Hostname": _JOURNEYS + hostname, "Site": "ankara", "OS": {"Type": "Linux"}}
        seen = datetime.now(UTC).isoformat(timespec="seconds")
        ask(services, "POST", "/inventory/device", OPERATOR, **device, LastSeen=seen)

    yield put
    for device in ask(services, "POST", "/search", USER, query=f"Hostname = {_JOURNEYS}*", ids=True)["ids"]:
        ask(services, "DELETE", f"/inventory/device/{device}", OPERATOR, if_match="*")


def _write_query(visit: Visit) -> None:
    """Write the query as the box helps with it: a few letters, and Tab for the rest."""
    keys = visit.page.keyboard

    def take(letters: str, offer: str) -> None:
        keys.type(letters, delay=20)
        expect(visit.page.get_by_role("option", selected=True).filter(has_text=offer)).to_be_visible()
        keys.press("Tab")

    visit.box.click()
    take("OS.Ty", "OS.Type")
    keys.type(" = ")
    take("Lin", "Linux")
    keys.type(" and ")
    take("Si", "Site")
    keys.type(" = ")
    take("ank", "ankara")
    keys.type(" and ")
    take("LastS", "LastSeen")
    keys.type(" >= now-7d")
    keys.press("Enter")


def test_a_new_user_finds_saves_shares_downloads_and_is_told(
    visit: Visit, newcomer: str, join: Callable[[str], None], tmp_path: Path
) -> None:
    services, page = visit.services, visit.page
    for hostname in ("a", "b"):
        join(hostname)
    found: dict[str, Any] = {}

    def are_found() -> bool:
        found.update(ask(services, "POST", "/search", USER, query=_ASKED, index="devices", size=500))
        return int(found["count"]) >= 2

    eventually(are_found, "both devices are in the index")

    # Finds all Linux devices in Ankara that were seen this week …
    page.goto(services.gateway_url)
    visit.log_in(newcomer)
    _write_query(visit)
    expect(page.get_by_text(f"{found['count']} documents", exact=True).first).to_be_visible()
    for hostname in ("a", "b"):
        expect(page.get_by_role("gridcell", name=_JOURNEYS + hostname, exact=True)).to_be_visible()

    # … downloads them …
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "found.csv")
    rows = list(csv.DictReader(StringIO((tmp_path / "found.csv").read_text(encoding="utf-8"))))
    assert sorted(row["Hostname"] for row in rows) == sorted(each["Hostname"] for each in found["results"])

    # … saves the search, and shares it …
    before = ask(services, "GET", "/notifications?size=1", AUDITOR)["last"]
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Title").fill(_TITLE)
    page.get_by_label("Users I name").check()
    page.get_by_label("User 1", exact=True).fill(AUDITOR)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    [told] = ask(services, "GET", f"/notifications?after={before}", AUDITOR)["notifications"]
    assert (told["data"]["op"], told["data"]["title"], told["actor"]) == ("shared", _TITLE, newcomer)

    # … and is told when a device joins, wherever on the page, and led to it.
    page.get_by_label(f"Watch {_TITLE}").select_option("every minute")
    eventually(lambda: _has_looked(services, newcomer), "the worker has looked", 60)
    page.get_by_role("button", name="History", exact=True).click()
    join("c")
    news = f"“{_TITLE}”: 1 new, 0 gone"
    expect(page.get_by_role("status").filter(has_text=news)).to_be_visible(timeout=120_000)
    page.get_by_role("button", name="Notifications, 1 unread").click()
    page.get_by_role("button", name=news).click()
    expect(page.get_by_role("gridcell", name=f"{_JOURNEYS}c", exact=True)).to_be_visible()


def _has_looked(services: Services, name: str) -> bool:
    [search] = ask(services, "GET", "/searches/?mine=true", name)["searches"]
    return bool(search["watch"] and search["watch"]["looked_at"])
