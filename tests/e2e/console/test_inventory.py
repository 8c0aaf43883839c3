"""The inventory's pages: a document is written, its errors stand at its members, and nobody overwrites anybody."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from playwright.sync_api import Locator, expect

from local.services import OPERATOR, USER, Services
from tests.e2e.console.conftest import NewVisit
from tests.e2e.console.plans import SERVICE, plan_of
from tests.support.visit import Visit, ask, text_of


@pytest.fixture
def plan(services: Services) -> Iterator[str]:
    """The id of a plan that nobody else has."""
    with plan_of(services) as made:
        yield made


def _text(visit: Visit) -> Locator:
    return visit.page.get_by_role("textbox", name="The document as JSON")


def _write(visit: Visit, text: str) -> None:
    _text(visit).click()
    visit.page.keyboard.press("Control+a")
    visit.page.keyboard.insert_text(text)


def _open(visit: Visit, fragment: str, name: str = OPERATOR) -> None:
    visit.page.goto(f"{visit.services.gateway_url}/#{fragment}")
    visit.log_in(name)
    expect(visit.page.locator("#results")).to_be_visible()


def test_a_document_that_was_found_is_edited_and_has_its_history(visit: Visit) -> None:
    visit.open("/#q=Hostname+%3D+octoxlabs01", OPERATOR)
    visit.cell(0, 0).click()
    visit.page.get_by_role("button", name="In the inventory").click()
    expect(_text(visit)).to_contain_text('"Hostname": "octoxlabs01"')
    expect(visit.page.get_by_text("in the index")).to_be_visible()
    device = parse_qs(urlsplit(visit.page.url).fragment)["id"][0]
    before = ask(visit.services, "GET", f"/inventory/device/{device}", OPERATOR)
    _write(visit, orjson.dumps(before | {"Owner": "console-inventory"}, option=orjson.OPT_INDENT_2).decode())
    visit.page.keyboard.press("Control+s")
    expect(visit.page.get_by_text("Saved.")).to_be_visible()
    newest = visit.page.locator(".versions > li").first
    expect(newest).to_contain_text("/Owner")
    expect(newest).to_contain_text(OPERATOR)
    newest.get_by_role("button").first.click()
    difference = visit.page.get_by_role("textbox", name="What version")
    expect(difference).to_contain_text("console-inventory")
    visit.page.get_by_role("button", name="Restore version").first.click()
    expect(visit.page.get_by_text("Restored.")).to_be_visible()
    assert ask(visit.services, "GET", f"/inventory/device/{device}", OPERATOR) == before


def test_the_schema_s_errors_stand_at_their_members(visit: Visit, plan: str) -> None:
    _open(visit, f"view=inventory&type=plan&id={plan}")
    _write(visit, '{\n  "name": 7,\n  "colour": "red"\n}')
    visit.page.get_by_role("button", name="Save", exact=True).click()
    alert = visit.page.locator(".marks")
    expect(alert).to_contain_text("/name")
    expect(visit.page.locator(".wrong").filter(has_text="7")).to_be_visible()
    alert.get_by_role("button", name="Line 2").click()
    visit.page.keyboard.insert_text('"Gold"')
    expect(_text(visit)).to_contain_text('"name": "Gold"')


def test_a_text_that_is_no_json_is_told_where(visit: Visit, plan: str) -> None:
    _open(visit, f"view=inventory&type=plan&id={plan}")
    _write(visit, '{\n  "name": "Gold"\n  "planType": "PPO"\n}')
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.locator(".marks")).to_contain_text("Line 3")
    expect(visit.page.locator(".marks")).to_contain_text(", or } is expected here")


def test_two_who_edit_one_document_both_see_it(visit: Visit, new_visit: NewVisit, plan: str) -> None:
    other = new_visit()
    for each in (visit, other):
        _open(each, f"view=inventory&type=plan&id={plan}")
        expect(_text(each)).to_contain_text("Gold")
    _write(visit, '{\n  "name": "Silver",\n  "planType": "PPO"\n}')
    _write(other, '{\n  "name": "Gold",\n  "planType": "HMO"\n}')
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("Saved.")).to_be_visible()
    other.page.get_by_role("button", name="Save", exact=True).click()
    expect(other.page.get_by_text("Somebody else changed it.")).to_be_visible()
    # Theirs as lines that would go, one's own as what is typed.
    expect(other.page.locator(".cm-deletedChunk")).to_contain_text("Silver")
    expect(_text(other)).to_contain_text("HMO")
    _write(other, '{\n  "name": "Silver",\n  "planType": "HMO"\n}')
    other.page.get_by_role("button", name="Save over theirs").click()
    expect(other.page.get_by_text("Saved.")).to_be_visible()
    stored = ask(visit.services, "GET", f"/inventory/plan/{plan}", OPERATOR)
    assert stored == {"name": "Silver", "planType": "HMO"}


def test_what_somebody_else_deleted_is_not_lost(visit: Visit, plan: str) -> None:
    _open(visit, f"view=inventory&type=plan&id={plan}")
    _write(visit, '{\n  "name": "Mine",\n  "planType": "PPO"\n}')
    ask(visit.services, "DELETE", f"/inventory/plan/{plan}", OPERATOR, if_match="*")
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("They have deleted it.")).to_be_visible()
    visit.page.get_by_role("button", name="Save over theirs").click()
    expect(visit.page.get_by_text("Saved.")).to_be_visible()
    assert ask(visit.services, "GET", f"/inventory/plan/{plan}", OPERATOR)["name"] == "Mine"


def test_a_text_that_is_not_saved_outlives_a_look_elsewhere_and_the_session(visit: Visit, plan: str) -> None:
    _open(visit, f"view=inventory&type=plan&id={plan}")
    _write(visit, '{\n  "name": "Half done"\n}')
    visit.page.get_by_role("button", name="Search", exact=True).click()
    expect(visit.box).to_be_visible()
    visit.page.go_back()
    expect(_text(visit)).to_contain_text("Half done")
    url = visit.services.gateway_url
    visit.page.context.request.delete(f"{url}/auth/session", headers={"Origin": url})
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("Your session has ended")).to_be_visible()
    visit.log_in(OPERATOR)
    expect(_text(visit)).to_contain_text("Half done")
    visit.page.get_by_role("button", name="Discard changes").click()
    expect(_text(visit)).to_contain_text("Gold")


def test_a_document_is_made_below_another_deleted_and_restored(visit: Visit, plan: str) -> None:
    _open(visit, f"view=inventory&type=plan&id={plan}")
    below = visit.page.locator(".below", has=visit.page.get_by_role("heading", name="plan-service"))
    below.get_by_role("button", name="New document").click()
    expect(_text(visit)).to_be_visible()
    _write(visit, orjson.dumps({"service": SERVICE}).decode())
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_role("button", name="Delete")).to_be_visible()
    visit.page.get_by_role("button", name="Delete").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(visit.page.get_by_text("The document was deleted.")).to_be_visible()
    visit.page.get_by_role("button", name="Restore version 1").click()
    expect(_text(visit)).to_contain_text(SERVICE)


def test_who_may_only_read_cannot_write(visit: Visit) -> None:
    _open(visit, "view=inventory&type=device", USER)
    visit.page.locator(".documents button").first.click()
    expect(_text(visit)).to_have_attribute("aria-readonly", "true")
    expect(visit.page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    expect(visit.page.get_by_role("button", name="Administration")).to_have_count(0)


def test_administrators_see_types_users_and_dead_deliveries(visit: Visit) -> None:
    _open(visit, "view=administration")
    expect(visit.page.get_by_role("region", name="Types of the inventory")).to_contain_text("device")
    expect(visit.page.get_by_role("region", name="Users")).to_contain_text(USER)
    assert "None:" in text_of(visit.page.get_by_role("region", name="Deliveries that were given up"))
