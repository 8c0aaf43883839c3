"""Every state of the page: in words, without a finding of axe-core, in both themes, on wide and narrow screens."""

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, Literal

import orjson
import pytest
from playwright.sync_api import Route, expect

from local.services import OPERATOR, USER, Services
from tests.e2e.console import kept
from tests.e2e.console.conftest import NewVisit
from tests.e2e.console.kept import saving
from tests.e2e.console.plans import plan_of
from tests.support.paths import ROOT
from tests.support.visit import AXE, Visit, ask

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is installed by Node: make console")

_CODES = re.findall(
    r"^\| `(\w+)` \| ([0-9]{3})", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE
)
_ENDED = {"unauthenticated", "token_expired"}


def _problem(status: int, code: str, **more: Any) -> Callable[[Route], None]:
    body = {
        "type": "about:blank",
        "title": "x",
        "status": status,
        "code": code,
        "detail": "The server's own words.",
        **more,
    }
    return lambda route: route.fulfill(status=status, content_type="application/problem+json", body=orjson.dumps(body))


def _log_in(visit: Visit) -> None:
    visit.page.goto(visit.services.gateway_url)
    expect(visit.page.get_by_label("Password")).to_be_visible()


def _start(visit: Visit) -> None:
    visit.open()
    expect(visit.page.get_by_role("list", name="Fields of devices")).to_be_visible()


def _completion(visit: Visit) -> None:
    _start(visit)
    visit.page.keyboard.type("OS.Type = Linux AND s", delay=20)
    expect(visit.page.get_by_role("option").filter(has_text="Site")).to_be_visible()


def _caret(visit: Visit) -> None:
    visit.open()
    visit.type("Hostnme = octoxlabs*")
    expect(visit.page.locator(".wrong")).to_be_visible()
    expect(visit.page.get_by_role("list", name="Fields of devices")).to_be_visible()


def _notice(visit: Visit) -> None:
    visit.open()
    visit.search('Hostname = "web*"')
    expect(visit.page.get_by_role("list", name="Notes on the query")).to_be_visible()


def _results(visit: Visit) -> None:
    visit.open("/#q=Site+%3D+ankara&sort=-LastSeen&col=Hostname&col=OS.Type&col=OS.Version&col=RiskScore&col=LastSeen")
    expect(visit.cell(5, 1)).to_be_visible()


def _menu(visit: Visit) -> None:
    _results(visit)
    visit.cell(2, 1).click()
    expect(visit.page.get_by_role("menu")).to_be_visible()


def _detail(visit: Visit) -> None:
    _results(visit)
    visit.cell(2, 0).click()
    expect(visit.page.get_by_role("complementary")).to_be_visible()


def _columns(visit: Visit) -> None:
    _results(visit)
    visit.page.get_by_role("button", name="Columns").click()
    expect(visit.page.get_by_role("group", name="Columns")).to_be_visible()


def _dsl(visit: Visit) -> None:
    _results(visit)
    visit.page.get_by_role("button", name="DSL").click()
    expect(visit.page.locator(".dsl pre")).to_contain_text("term")


def _plain(visit: Visit) -> None:
    _results(visit)
    visit.page.get_by_role("button", name="Plain table").click()
    expect(visit.page.get_by_role("table")).to_be_visible()


def _history(visit: Visit) -> None:
    _results(visit)
    for _ in range(60):
        visit.page.get_by_role("button", name="History").click()
        visit.page.wait_for_timeout(500)
        if visit.page.get_by_role("heading", name="Your searches").count():
            break
    expect(visit.page.get_by_role("heading", name="Your searches")).to_be_visible()


def _empty(visit: Visit) -> None:
    visit.open()
    visit.search("Hostname = nothing-has-this-name")
    expect(visit.page.get_by_text("Nothing matches")).to_be_visible()


def _slow(visit: Visit) -> None:
    visit.open()
    visit.page.route("**/search", lambda _route: None)
    visit.type("Site = ankara")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text("This takes longer than usual")).to_be_visible()


def _failed(visit: Visit) -> None:
    visit.open()
    visit.page.route("**/search", _problem(503, "search_unavailable", query_id="01a3"))
    visit.search("Site = ankara")
    expect(visit.page.get_by_text("The search engine does not answer")).to_be_visible()


def _offline(visit: Visit) -> None:
    _results(visit)
    visit.page.context.set_offline(True)
    visit.type("Site = london")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text("You are offline")).to_be_visible()


def _ended(visit: Visit) -> None:
    _results(visit)
    url = visit.services.gateway_url
    visit.page.context.request.delete(f"{url}/auth/session", headers={"Origin": url})
    visit.type("Site = london")
    # Longer than the pause after which what is typed is looked at.
    visit.page.wait_for_timeout(800)
    expect(visit.page.get_by_role("dialog")).to_have_count(0)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text("Your session has ended")).to_be_visible()


def _as_operator(visit: Visit, fragment: str) -> None:
    visit.page.goto(f"{visit.services.gateway_url}/#{fragment}")
    visit.log_in(OPERATOR)


def _inventory(visit: Visit) -> None:
    _as_operator(visit, "view=inventory&type=device")
    expect(visit.page.locator(".documents button").first).to_be_visible()


def _document(visit: Visit) -> None:
    _inventory(visit)
    visit.page.locator(".documents button").first.click()
    visit.page.locator(".versions button").first.click()
    expect(visit.page.get_by_role("textbox", name="What version")).to_contain_text("Hostname")


def _wrong_document(visit: Visit) -> None:
    _as_operator(visit, "view=inventory&type=plan&id=%3Fnew")
    visit.page.get_by_role("textbox", name="The document as JSON").click()
    visit.page.keyboard.press("Control+a")
    visit.page.keyboard.insert_text('{\n  "name": 7,\n  "colour": "red"\n}')
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.locator(".marks")).to_be_visible()


def _conflict(visit: Visit) -> None:
    with plan_of(visit.services) as plan:
        _as_operator(visit, f"view=inventory&type=plan&id={plan}")
        text = visit.page.get_by_role("textbox", name="The document as JSON")
        expect(text).to_contain_text("Gold")
        theirs = {"name": "Gold", "planType": "HMO", "creationDate": "2026-01-01"}
        ask(visit.services, "PUT", f"/inventory/plan/{plan}", OPERATOR, if_match="*", **theirs)
        text.click()
        visit.page.keyboard.press("Control+a")
        visit.page.keyboard.insert_text('{\n  "name": "Gold plus",\n  "planType": "PPO"\n}')
        visit.page.keyboard.press("Control+s")
        expect(visit.page.get_by_text("Somebody else changed it.")).to_be_visible()
        expect(visit.page.locator(".versions")).to_be_visible()


def _administration(visit: Visit) -> None:
    _as_operator(visit, "view=administration")
    expect(visit.page.get_by_role("region", name="Users")).to_contain_text(OPERATOR)


def _saved(visit: Visit) -> None:
    save = saving(visit.services)
    first = save("Servers without an agent", description="For Monday's round", visibility="everyone")
    kept.ask(visit.services, "PUT", f"/searches/{first['id']}/watch", USER, interval=300)
    save("Of the trail", index="query-logs-*", query="")
    collection = kept.ask(visit.services, "POST", "/collections/", USER, title="Monday")
    kept.ask(visit.services, "PUT", f"/collections/{collection['id']}/searches/{first['id']}", USER, if_match="*")
    visit.page.goto(f"{visit.services.gateway_url}/#view=saved")
    visit.log_in()
    expect(visit.page.locator(".kept > li")).to_have_count(2)


def _saved_empty(visit: Visit) -> None:
    visit.page.goto(f"{visit.services.gateway_url}/#view=saved")
    visit.log_in()
    expect(visit.page.get_by_text("Nothing is saved yet")).to_be_visible()


def _saved_conflict(visit: Visit) -> None:
    shared = {"visibility": "users", "users": [{"user": kept.AUDITOR, "role": "editor"}]}
    saved = saving(visit.services)(**shared)
    visit.page.goto(f"{visit.services.gateway_url}/#view=saved&id={saved['id']}")
    visit.log_in()
    visit.page.get_by_label("Title").fill("Linux in Ankara")
    theirs = {"title": "All of Linux", "query": "OS.Type = Linux and RiskScore > 5"} | shared
    kept.ask(visit.services, "PUT", f"/searches/{saved['id']}", kept.AUDITOR, if_match="*", **theirs)
    visit.page.get_by_role("button", name="Save", exact=True).click()
    expect(visit.page.get_by_text("Somebody else changed it.")).to_be_visible()


STATES = {
    "log-in": _log_in,
    "start": _start,
    "completion": _completion,
    "caret": _caret,
    "notice": _notice,
    "results": _results,
    "menu": _menu,
    "detail": _detail,
    "columns": _columns,
    "dsl": _dsl,
    "plain": _plain,
    "history": _history,
    "empty": _empty,
    "slow": _slow,
    "failed": _failed,
    "offline": _offline,
    "session-ended": _ended,
    "inventory": _inventory,
    "document": _document,
    "document-invalid": _wrong_document,
    "conflict": _conflict,
    "administration": _administration,
    "saved": _saved,
    "saved-empty": _saved_empty,
    "saved-conflict": _saved_conflict,
}
_LOOKS: dict[str, dict[str, Any]] = {
    "forced colours": {"forced_colors": "active"},
    "reduced motion": {"reduced_motion": "reduce"},
}


@pytest.fixture
def _nothing_saved(state: str, services: Services) -> Iterator[None]:
    """The states of saved searches begin with none, and leave none to others."""
    with kept.kept_nowhere(services) if state.startswith("saved") else nullcontext():
        yield


@pytest.mark.usefixtures("_nothing_saved")
@pytest.mark.parametrize("state", STATES)
def test_a_state_has_no_finding_in_either_theme_at_any_width(state: str, new_visit: NewVisit) -> None:
    # What axe-core itself does to measure is not the page's doing.
    visit = new_visit(checked=False)
    STATES[state](visit)
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for theme in themes:
        visit.page.emulate_media(color_scheme=theme)
        for width, height in ((1280, 800), (360, 740)):
            visit.page.set_viewport_size({"width": width, "height": height})
            visit.page.wait_for_timeout(150)
            visit.picture(f"{state}-{theme}-{width}")
            # 1280 pixels at 400 % are 320.
            visit.page.set_viewport_size({"width": min(width, 320) if width == 360 else width, "height": height})
            assert visit.findings() == []
            assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.usefixtures("_nothing_saved")
@pytest.mark.parametrize("state", ["log-in", "caret", "detail", "document-invalid", "saved"])
@pytest.mark.parametrize("look", _LOOKS)
def test_nor_has_it_with_other_preferences(look: str, state: str, new_visit: NewVisit) -> None:
    visit = new_visit(checked=False, **_LOOKS[look])
    STATES[state](visit)
    assert visit.findings() == []


def test_the_first_look_is_without_a_report(visit: Visit) -> None:
    for state in (_completion, _menu):
        state(visit)
        visit.page.context.clear_cookies()
        visit.page.goto("about:blank")


def test_every_code_of_the_api_has_words_and_a_next_step(visit: Visit) -> None:
    visit.open()
    assert len(_CODES) > 25
    for code, status in _CODES:
        if code in _ENDED:
            continue
        visit.page.unroute_all()
        visit.page.route("**/search", _problem(int(status), code))
        visit.search("Site = ankara")
        state = visit.page.locator(f'[data-code="{code}"]')
        expect(state.get_by_role("heading")).not_to_be_empty()
        expect(state).to_contain_text("The server's own words.")
        expect(state.get_by_role("button", name="Try again")).to_be_visible()


def test_trying_again_after_a_fault_finds_what_was_looked_for(visit: Visit) -> None:
    _failed(visit)
    visit.page.unroute_all()
    visit.page.get_by_role("button", name="Try again").click()
    expect(visit.cell(0, 1)).to_be_visible()


def test_the_end_of_a_snapshot_is_told_kindly(visit: Visit) -> None:
    visit.open("/#q=")
    expect(visit.cell(0, 1)).to_be_visible()
    visit.page.route("**/search", _problem(409, "cursor_expired"))
    visit.cell(0, 1).focus()
    visit.page.keyboard.press("Control+End")
    expect(visit.page.get_by_text("The snapshot has ended")).to_be_visible()
    visit.page.unroute_all()
    visit.page.get_by_role("button", name="Run again").click()
    expect(visit.page.get_by_text("of 1,012 rows read")).to_be_visible()
