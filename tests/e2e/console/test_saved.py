"""Saved searches on the real system: kept, opened, shared, watched, and changed by two people at once."""

import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Route, expect

from local.services import OPERATOR, USER, Services
from tests.e2e.console.conftest import NewVisit
from tests.e2e.console.kept import AUDITOR, Save, ask, kept_nowhere, let_watches_be_due, saving
from tests.e2e.console.test_page import PAYLOADS
from tests.support.visit import Visit
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def _nothing_kept(services: Services) -> Iterator[None]:
    """Begin and end with nothing saved."""
    with kept_nowhere(services):
        yield


@pytest.fixture
def save(services: Services) -> Save:
    """Save a search of the demo user's."""
    return saving(services)


def _shared(*editors: str) -> dict[str, Any]:
    return {"visibility": "users", "users": [{"user": name, "role": "editor"} for name in editors]}


def _open(visit: Visit, fragment: str = "view=saved", name: str = USER) -> None:
    visit.page.goto(f"{visit.services.gateway_url}/#{fragment}")
    visit.log_in(name)
    expect(visit.page.locator("#results")).to_be_visible()


def _items(visit: Visit) -> Locator:
    return visit.page.locator(".kept > li")


def test_a_search_is_saved_as_it_is_shown_and_opened_again(visit: Visit) -> None:
    visit.open("/#q=Site+%3D+ankara&sort=-LastSeen&sort=Hostname&col=Hostname&col=Ip")
    expect(visit.cell(0, 1)).to_be_visible()
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_role("textbox", name="Query")).to_have_value("Site = ankara")
    visit.page.get_by_label("Title").fill("Ankara")
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("Saved.")).to_be_visible()
    [saved] = ask(visit.services, "GET", "/searches/", USER)["searches"]
    stored = ask(visit.services, "GET", f"/searches/{saved['id']}", USER)
    assert {name: stored[name] for name in ("title", "query", "index", "columns", "sort", "visibility")} == {
        "title": "Ankara",
        "query": "Site = ankara",
        "index": "devices",
        "columns": ["Hostname", "Ip"],
        "sort": ["-LastSeen", "Hostname"],
        "visibility": "me",
    }
    visit.page.reload()
    visit.page.get_by_role("button", name="Open Ankara").click()
    expect(visit.cell(0, 1)).to_be_visible()
    fragment = parse_qs(urlsplit(visit.page.url).fragment)
    assert (fragment["q"], fragment["sort"], fragment["col"]) == (
        ["Site = ankara"],
        ["-LastSeen", "Hostname"],
        ["Hostname", "Ip"],
    )


def test_what_was_begun_outlives_a_look_elsewhere_and_is_not_taken_for_another_search(visit: Visit) -> None:
    visit.open("/#q=Site+%3D+ankara")
    save, title = visit.page.get_by_role("button", name="Save", exact=True), visit.page.get_by_label("Title")
    save.click()
    title.fill("Begun")
    visit.page.get_by_role("button", name="History", exact=True).click()
    expect(title).to_have_count(0)
    visit.page.get_by_role("button", name="Search", exact=True).first.click()
    save.click()
    expect(title).to_have_value("Begun")
    visit.page.get_by_role("button", name="Search", exact=True).first.click()
    visit.search("Site = izmir")
    save.click()
    expect(title).to_have_value("")
    visit.page.get_by_role("button", name="Cancel").click()
    expect(visit.page.get_by_text("Nothing is saved yet")).to_be_visible()


def test_all_of_it_goes_by_the_keyboard(visit: Visit) -> None:
    visit.open("/#q=Site+%3D+ankara")
    expect(visit.cell(0, 1)).to_be_visible()
    keys = visit.page.keyboard
    visit.page.get_by_role("button", name="Save", exact=True).focus()
    keys.press("Enter")
    expect(visit.page.get_by_label("Title")).to_be_focused()
    keys.type("By keyboard")
    keys.press("Enter")
    expect(_items(visit)).to_have_count(1)
    visit.page.get_by_label("Watch By keyboard").focus()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(visit.page.get_by_text("You are told of new and gone documents.")).to_be_visible()
    visit.page.get_by_role("button", name="Delete By keyboard").focus()
    keys.press("Enter")
    expect(visit.page.get_by_role("dialog")).to_be_visible()
    keys.press("Enter")
    expect(_items(visit)).to_have_count(0)


def test_two_browsers_change_one_search_and_the_second_sees_both_versions(
    visit: Visit, new_visit: NewVisit, save: Save
) -> None:
    saved = save(**_shared(AUDITOR))
    other = new_visit()
    _open(visit, f"view=saved&id={saved['id']}")
    _open(other, f"view=saved&id={saved['id']}", AUDITOR)
    for each, title, query in ((visit, "Mine", "Site = ankara"), (other, "Theirs", "Site = izmir")):
        expect(each.page.get_by_label("Title")).to_have_value("Linux")
        each.page.get_by_label("Title").fill(title)
        each.page.get_by_role("textbox", name="Query").fill(query)
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("Saved.")).to_be_visible()
    other.page.get_by_role("button", name="Save", exact=True).click()
    conflict = other.page.locator("form [role=alert]")
    expect(conflict).to_contain_text("Somebody else changed it.")
    for text in ("Mine", "Theirs", "Site = ankara", "Site = izmir"):
        expect(conflict).to_contain_text(text)
    assert ask(visit.services, "GET", f"/searches/{saved['id']}", USER)["title"] == "Mine"
    other.page.get_by_role("button", name="Take theirs: Title").click()
    expect(other.page.get_by_label("Title")).to_have_value("Mine")
    expect(other.page.get_by_role("textbox", name="Query")).to_have_value("Site = izmir")
    other.page.get_by_role("button", name="Save over theirs").click()
    expect(other.page.get_by_text("Saved.")).to_be_visible()
    stored = ask(visit.services, "GET", f"/searches/{saved['id']}", USER)
    assert (stored["title"], stored["query"], stored["version"]) == ("Mine", "Site = izmir", 3)


def test_what_one_has_not_changed_is_not_taken_from_who_has(visit: Visit, save: Save) -> None:
    saved = save(**_shared(AUDITOR))
    _open(visit, f"view=saved&id={saved['id']}")
    visit.page.get_by_label("Title").fill("Mine")
    theirs = {"title": "Theirs", "query": "Site = izmir", "index": "devices"} | _shared(AUDITOR)
    ask(visit.services, "PUT", f"/searches/{saved['id']}", AUDITOR, if_match="*", **theirs)
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("Somebody else changed it.")).to_be_visible()
    expect(visit.page.get_by_role("textbox", name="Query")).to_have_value("Site = izmir")
    visit.page.get_by_role("button", name="Save over theirs").click()
    expect(visit.page.get_by_text("Saved.")).to_be_visible()
    stored = ask(visit.services, "GET", f"/searches/{saved['id']}", USER)
    assert (stored["title"], stored["query"], stored["version"]) == ("Mine", "Site = izmir", 3)


def test_what_was_deleted_meanwhile_can_be_kept_as_a_new_one(visit: Visit, save: Save) -> None:
    saved = save()
    _open(visit, f"view=saved&id={saved['id']}")
    visit.page.get_by_role("textbox", name="Query").fill("Site = izmir")
    ask(visit.services, "DELETE", f"/searches/{saved['id']}", USER, if_match="*")
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("It was deleted, or is not shared with you any more.")).to_be_visible()
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(_items(visit)).to_have_count(1)
    [kept] = ask(visit.services, "GET", "/searches/", USER)["searches"]
    assert ask(visit.services, "GET", f"/searches/{kept['id']}", USER)["query"] == "Site = izmir"


def test_it_is_shared_by_name_and_the_other_one_is_told(visit: Visit, save: Save) -> None:
    saved = save()
    before = ask(visit.services, "GET", "/notifications?size=1", AUDITOR)["last"]
    _open(visit, f"view=saved&id={saved['id']}")
    visit.page.get_by_label("Users I name").check()
    visit.page.get_by_label("User 1", exact=True).fill("nobody-of-this-name")
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_role("alert").filter(has_text="There is no active user")).to_be_visible()
    visit.page.get_by_label("User 1", exact=True).fill(AUDITOR)
    visit.page.get_by_label("What user 1 may do").select_option("editor")
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("Saved.")).to_be_visible()
    [told] = ask(visit.services, "GET", f"/notifications?after={before}", AUDITOR)["notifications"]
    assert (told["kind"], told["actor"], told["data"]["op"], told["data"]["title"]) == (
        "saved.changed",
        USER,
        "shared",
        "Linux",
    )


def test_a_viewer_opens_it_and_has_no_way_to_change_it(visit: Visit, save: Save) -> None:
    save(visibility="everyone")
    save("Of the trail", index="query-logs-*", query="", visibility="everyone")
    _open(visit, name=OPERATOR)
    expect(_items(visit)).to_have_count(2)
    expect(visit.page.get_by_role("button", name="Edit")).to_have_count(0)
    expect(visit.page.get_by_role("button", name="Delete")).to_have_count(0)


def test_a_search_of_an_index_that_its_reader_may_not_search_says_so_and_shows_nothing(
    visit: Visit, services: Services
) -> None:
    body = {"title": "Of the trail", "query": "", "index": "query-logs-*", "visibility": "everyone"}
    ask(services, "POST", "/searches/", AUDITOR, **body)
    _open(visit)
    expect(_items(visit)).to_contain_text("You may not search query-logs-*")
    visit.page.get_by_role("button", name="Open Of the trail").click()
    expect(visit.page.get_by_text("You may not do this")).to_be_visible()
    expect(visit.page.get_by_role("gridcell")).to_have_count(0)


def test_one_s_own_are_listed_however_many_others_share(visit: Visit, save: Save) -> None:
    own = save("My own")

    def of_others(route: Route) -> None:
        """A page of what others share, and no end of them."""
        if "mine=true" in route.request.url:
            route.continue_()
            return
        number = str(uuid.uuid4())
        search = own | {"id": number, "title": f"Of others {number}", "owner": "ben", "role": "viewer", "watch": None}
        route.fulfill(json={"searches": [search], "next": number})

    visit.page.route("**/searches/?*", of_others)
    _open(visit)
    expect(visit.page.get_by_role("button", name="Open My own")).to_be_visible()
    expect(visit.page.get_by_text("Others share more than is listed here")).to_be_visible()


def test_a_notification_of_a_shared_search_runs_it(visit: Visit, save: Save) -> None:
    saved = save("Of Ankara", query="Site = ankara", **_shared(AUDITOR))
    _open(visit, name=AUDITOR)
    visit.page.get_by_role("button", name=re.compile("^Notifications")).click()
    news = visit.page.get_by_role("button", name=f"The search “Of Ankara” was shared with you by {USER}").first
    news.click()
    expect(visit.box).to_have_text("Site = ankara")
    expect(visit.cell(0, 1)).to_be_visible()
    # One that is not there any more says so, and is read by the click all the same.
    ask(visit.services, "DELETE", f"/searches/{saved['id']}", USER, if_match="*")
    visit.page.get_by_role("button", name=re.compile("^Notifications")).click()
    visit.page.get_by_role("button", name=f"The search “Of Ankara” was deleted by {USER}").first.click()
    expect(visit.page.get_by_role("status").filter(has_text="There is no search of this id")).to_be_visible()


def test_a_notification_of_a_shared_collection_leads_to_it(visit: Visit, services: Services) -> None:
    _open(visit, name=AUDITOR)
    ask(services, "POST", "/collections/", USER, title="For two", **_shared(AUDITOR))
    visit.page.get_by_role("button", name=re.compile("^Notifications")).click()
    visit.page.get_by_role("button", name=f"The collection “For two” was shared with you by {USER}").first.click()
    expect(visit.page.get_by_label("Collection", exact=True).locator("option:checked")).to_have_text("For two")


def test_a_collection_is_made_filled_ordered_and_deleted(visit: Visit, save: Save) -> None:
    for title in ("A", "B"):
        save(title)
    _open(visit)
    visit.page.get_by_role("button", name="New collection").click()
    visit.page.get_by_label("Title").fill("Monday")
    visit.page.get_by_role("button", name="Save", exact=True).click()
    for title in ("A", "B"):
        visit.page.get_by_label(f"Put {title} into a collection").select_option("Monday")
        expect(visit.page.get_by_label(f"Put {title} into a collection")).to_have_count(0)
    visit.page.get_by_label("Collection", exact=True).select_option("Monday")
    expect(_items(visit)).to_have_count(2)
    first = _items(visit).first
    visit.page.get_by_role("button", name="Move B up").click()
    expect(first.get_by_role("button", name="Open B")).to_be_visible()
    visit.page.get_by_role("button", name="Move B down").click()
    expect(first.get_by_role("button", name="Open A")).to_be_visible()
    visit.page.get_by_role("button", name="Take A out of the collection").click()
    expect(_items(visit)).to_have_count(1)
    visit.page.get_by_role("button", name="Edit Monday").click()
    visit.page.get_by_label("Title").fill("Tuesday")
    visit.page.get_by_role("button", name="Save", exact=True).click()
    visit.page.get_by_label("Collection", exact=True).select_option("Tuesday")
    visit.page.get_by_role("button", name="Delete Tuesday").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(visit.page.get_by_text("Deleted.")).to_be_visible()
    expect(_items(visit)).to_have_count(2)


def test_a_watched_search_tells_of_a_new_document(visit: Visit, save: Save) -> None:
    services = visit.services
    saved = save(query="Hostname = console-watched*")
    _open(visit)
    visit.page.get_by_label("Watch Linux").select_option("every minute")
    expect(visit.page.get_by_text("You are told of new and gone documents.")).to_be_visible()
    path = "/searches/?size=100"
    eventually(
        lambda: ask(services, "GET", path, USER)["searches"][0]["watch"]["looked_at"], "the worker has looked", 60
    )
    before = ask(services, "GET", "/notifications?size=1", USER)["last"]
    device = ask(services, "POST", "/inventory/device", OPERATOR, Hostname="console-watched-1")
    try:
        found: list[Any] = []

        def in_the_index() -> bool:
            query = "Hostname = console-watched-1"
            return bool(ask(services, "POST", "/search", USER, query=query, index="devices")["count"])

        def told() -> bool:
            found[:] = [
                each
                for each in ask(services, "GET", f"/notifications?after={before}", USER)["notifications"]
                if each["kind"] == "watch.found"
            ]
            return bool(found)

        eventually(in_the_index, "the device is in the index")
        let_watches_be_due(services)
        eventually(told, "the watcher is told", 120)
        assert len(found) == 1
        data = found[0]["data"]
        assert (data["id"], data["title"], data["new"], data["gone"]) == (saved["id"], "Linux", 1, 0)
        document = ask(services, "GET", f"/documents/devices/{data['ids'][0]}", USER)
        assert document["document"]["Hostname"] == device["Hostname"]
    finally:
        for number in found[0]["data"]["ids"] if found else []:
            ask(services, "DELETE", f"/inventory/device/{number}", OPERATOR, if_match="*")


def test_hostile_titles_run_nowhere(visit: Visit, save: Save) -> None:
    # A title has no control characters; a description and a query have them.
    titles = [re.sub(r"[\x00-\x1f\x7f]", " ", payload) for payload in PAYLOADS]
    for title, payload in zip(titles, PAYLOADS, strict=True):
        text = payload.replace("\0", "")
        save(title, description=text, query=text, index=text)
    _open(visit)
    expect(_items(visit)).to_have_count(len(titles))
    for at in range(0, len(titles), 25):
        _items(visit).nth(at).get_by_role("button", name="Edit").click()
        expect(visit.page.get_by_label("Title")).to_be_visible()
        visit.page.get_by_role("button", name="Cancel").click()
        expect(_items(visit)).to_have_count(len(titles))
    visit.page.wait_for_timeout(1_000)
    assert visit.page.evaluate("globalThis.ran") is None


def test_the_trail_has_who_changed_which_search(services: Services, save: Save) -> None:
    saved = save()
    ask(services, "DELETE", f"/searches/{saved['id']}", USER, if_match='"1"')

    def events() -> list[Any]:
        found = ask(services, "GET", "/history?kind=saved", USER)["events"]
        return [each for each in found if each.get("target", {}).get("id") == saved["id"]]

    eventually(lambda: len(events()) == 2, "both events are on the trail")
    assert [(each["action"], each["target"]["version"]) for each in events()] == [("saved.changed", 1)] * 2
