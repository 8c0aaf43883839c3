"""One page, two people after each other: the second one sees nothing of the first one's."""

from typing import Any

import pytest
from playwright.sync_api import expect

from local.services import OPERATOR, USER, Services
from tests.e2e.console import kept
from tests.e2e.console.plans import plan_of
from tests.support.visit import Visit, ask

_AUDITOR = "octoAuditor"


def _end_session(visit: Visit) -> None:
    """End the session elsewhere; the page learns it with the next thing that is asked for."""
    url = visit.services.gateway_url
    ended = visit.page.context.request.delete(f"{url}/auth/session", headers={"Origin": url})
    assert ended.status == 204


def test_who_logs_in_over_an_auditor_s_page_sees_no_event(visit: Visit) -> None:
    visit.open(name=_AUDITOR)
    visit.page.get_by_role("button", name="Live", exact=True).click()
    expect(visit.page.locator(".pill.open")).to_be_visible()
    ask(visit.services, "POST", "/search", USER, query="Hostname = of-the-trail")
    row = visit.page.get_by_role("row").filter(has_text="of-the-trail")
    expect(row).to_have_count(1)
    _end_session(visit)
    # The bell is there on every page, and asks.
    visit.page.get_by_role("button", name="Notifications").click()
    expect(visit.page.get_by_text("Your session has ended")).to_be_visible()
    visit.log_in(USER)
    expect(visit.page.get_by_role("button", name="Log out")).to_be_visible()
    expect(visit.page.locator(".who")).to_contain_text(USER)
    expect(row).to_have_count(0)
    assert "of-the-trail" not in visit.page.content()


@pytest.mark.parametrize("way", ["logs out", "is logged out"])
def test_what_somebody_has_begun_to_write_is_not_there_for_the_next_one(
    visit: Visit, services: Services, way: str
) -> None:
    shared: dict[str, Any] = {"visibility": "users", "users": [{"user": USER, "role": "editor"}]}
    with plan_of(services) as plan, kept.kept_nowhere(services):
        saved = kept.ask(services, "POST", "/searches/", OPERATOR, title="Ours", query="", index="devices", **shared)
        fragments = (f"view=saved&id={saved['id']}", f"view=inventory&type=plan&id={plan}")
        visit.page.goto(f"{services.gateway_url}/#{fragments[0]}")
        visit.log_in(OPERATOR)
        visit.page.get_by_label("Title").fill("Mine alone")
        visit.page.goto(f"{services.gateway_url}/#{fragments[1]}")
        text = visit.page.get_by_role("textbox", name="The document as JSON")
        expect(text).to_contain_text("Gold")
        text.click()
        visit.page.keyboard.press("Control+a")
        visit.page.keyboard.insert_text('{"name": "Mine alone"}')
        if way == "logs out":
            visit.page.get_by_role("button", name="Log out").click()
        else:
            _end_session(visit)
            visit.page.get_by_role("button", name="Notifications").click()
        expect(visit.page.get_by_label("Password")).to_be_visible()
        # Another administrator would see it, and could save it under their own name.
        visit.log_in(USER)
        expect(visit.page.locator(".who")).to_contain_text(USER)
        for fragment in fragments:
            visit.page.goto(f"{services.gateway_url}/#{fragment}")
            expect(visit.page.locator("#results")).to_be_visible()
            expect(visit.page.get_by_text("Loading…")).to_have_count(0)
            assert "Mine alone" not in visit.page.content()
        visit.page.goto(f"{services.gateway_url}/#{fragments[0]}")
        expect(visit.page.get_by_label("Title")).to_have_value("Ours")
