"""Live parts of the page: notifications as they come, the inbox, and the audit trail's tail."""

import re
from typing import Any, Literal

import pytest
import urllib3
from playwright.sync_api import APIResponse, Route, WebSocket, expect

from local.inventory import authorization
from local.services import OPERATOR, USER, Services
from tests.e2e.console.conftest import NewVisit
from tests.e2e.console.test_page import PAYLOADS
from tests.e2e.users import make_user
from tests.support.visit import AXE, Visit, ask

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is installed by Node: make console")

AUDITOR, WRITER = "octoAuditor", "octoWriter"
_SIZES = [("light", 1280), ("dark", 1280), ("light", 320), ("dark", 320)]


@pytest.fixture(scope="module")
def writer(services: Services) -> str:
    """A user who writes products, of which administrators are told."""
    return make_user(services, WRITER, "--write", "product")


def _write(services: Services, sku: str) -> None:
    product: dict[str, Any] = {"sku": sku, "name": "Saw", "price": 5}
    ask(services, "PUT", f"/inventory/product/{sku}", WRITER, **product)


def _listening(visit: Visit, name: str) -> None:
    """Open the page, and wait until its socket has said where it stands: from then on nothing is missed."""
    addresses: list[str] = []
    frames: list[str] = []

    def follow(socket: WebSocket) -> None:
        addresses.append(socket.url)
        socket.on("framesent", lambda frame: frames.append(str(frame)))

    visit.page.on("websocket", follow)
    visit.open(name=name)
    for _ in range(300):
        if any("since" in frame for frame in frames):
            break
        visit.page.wait_for_timeout(100)
    assert any("since" in frame for frame in frames)
    assert addresses == [f"ws://127.0.0.1:{visit.services.live_port}/ws/notifications/"]


def test_a_change_is_told_at_once_is_listed_and_is_read_by_the_keyboard(visit: Visit, writer: str) -> None:
    del writer
    _listening(visit, OPERATOR)
    _write(visit.services, "L-1")
    bell = visit.page.get_by_role("button", name=re.compile(r"^Notifications, \d+ unread$"))
    expect(bell).to_be_visible()
    expect(visit.page.get_by_role("status").filter(has_text="product L-1 was created by octoWriter")).to_be_visible()
    bell.focus()
    visit.page.keyboard.press("Enter")
    inbox = visit.page.get_by_role("region", name="Notifications")
    expect(inbox).to_be_focused()
    expect(inbox.get_by_role("button", name="product L-1 was created by octoWriter")).to_be_visible()
    # What comes while the list is open is put on top of it.
    _write(visit.services, "L-2")
    expect(inbox.get_by_role("listitem").first).to_contain_text("product L-2 was created by octoWriter")
    inbox.get_by_role("button", name="Mark all as read").click()
    expect(visit.page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(inbox).to_have_count(0)
    expect(visit.page.get_by_role("button", name="Notifications", exact=True)).to_be_focused()


def test_what_comes_while_the_list_is_read_is_listed_and_counted_once(visit: Visit, writer: str) -> None:
    del writer
    _listening(visit, OPERATOR)
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        """Hold back the page of the newest, as it is before the next change."""
        if "size=1&" in route.request.url or route.request.url.endswith("size=1"):
            route.continue_()
        else:
            held.append((route, route.fetch()))

    visit.page.route("**/notifications?*", hold)
    visit.page.get_by_role("button", name=re.compile("^Notifications")).click()
    for _ in range(300):
        if held:
            break
        visit.page.wait_for_timeout(100)
    route, answer = held.pop()
    _write(visit.services, "L-6")
    news = visit.page.get_by_role("region", name="Notifications").get_by_role("listitem").filter(has_text="L-6")
    expect(news).to_have_count(1)
    route.fulfill(response=answer)
    unread = answer.json()["unread"] + 1
    expect(visit.page.get_by_role("button", name=f"Notifications, {unread} unread")).to_be_visible()
    expect(news).to_have_count(1)


def test_a_notification_leads_to_its_document(visit: Visit, writer: str) -> None:
    del writer
    _listening(visit, OPERATOR)
    _write(visit.services, "L-3")
    visit.page.get_by_role("button", name=re.compile("unread$")).click()
    visit.page.get_by_role("button", name="product L-3 was created").click()
    expect(visit.page.get_by_role("heading", name=re.compile("L-3"))).to_be_visible()


def test_what_came_while_the_page_was_offline_comes_afterwards_once(visit: Visit, writer: str) -> None:
    del writer
    _listening(visit, OPERATOR)
    visit.page.get_by_role("button", name=re.compile("^Notifications")).click()
    items = visit.page.get_by_role("region", name="Notifications").get_by_role("listitem")
    expect(items.first).to_be_visible()
    visit.page.context.set_offline(True)
    _write(visit.services, "L-4")
    _write(visit.services, "L-5")
    visit.page.context.set_offline(False)
    for sku in ("L-4", "L-5"):
        expect(items.filter(has_text=f"product {sku} was created")).to_have_count(1)


def _account(visit: Visit) -> list[int]:
    return [int(text.replace(",", "")) for text in visit.page.locator(".account b").all_inner_texts()]


def _open_tail(visit: Visit) -> None:
    visit.open(name=AUDITOR)
    visit.page.get_by_role("button", name="Live", exact=True).click()
    expect(visit.page.locator(".pill.open")).to_be_visible()


def test_an_auditor_sees_events_as_they_are_recorded_with_an_account_that_closes(visit: Visit) -> None:
    _open_tail(visit)
    ask(visit.services, "POST", "/search", USER, query="Site = ankara AND RiskScore > 1")
    expect(visit.page.get_by_role("row").filter(has_text="Site = ankara AND RiskScore > 1")).to_have_count(1)
    visit.page.get_by_role("button", name="Pause").click()
    expect(visit.page.locator(".pill")).to_have_text("Paused")
    ask(visit.services, "POST", "/search", USER, query="Site = ankara AND RiskScore > 2")
    ask(visit.services, "POST", "/search", USER, query="Site = ankara AND RiskScore > 3")
    visit.page.get_by_role("button", name="Resume").click()
    for number in (2, 3):
        row = visit.page.get_by_role("row").filter(has_text=f"Site = ankara AND RiskScore > {number}")
        expect(row).to_have_count(1)
    shown, filtered, left_out, produced = _account(visit)
    assert shown + filtered + left_out == produced
    assert shown >= 3


def test_a_filter_counts_what_it_keeps_out(visit: Visit) -> None:
    _open_tail(visit)
    visit.page.get_by_label("User", exact=True).fill(USER)
    visit.page.get_by_label("In the query").fill("KEPT")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(".pill.open")).to_be_visible()
    visit.page.wait_for_function("document.querySelectorAll('.tail tbody tr').length === 0")
    ask(visit.services, "POST", "/search", USER, query="Hostname = dropped")
    ask(visit.services, "POST", "/search", USER, query="Hostname = kept")
    expect(visit.page.get_by_role("row").filter(has_text="Hostname = kept")).to_have_count(1)
    expect(visit.page.get_by_role("row").filter(has_text="Hostname = dropped")).to_have_count(0)
    shown, filtered, left_out, produced = _account(visit)
    assert shown + filtered + left_out == produced
    assert filtered >= 1


def test_hostile_notifications_and_events_run_nowhere(visit: Visit) -> None:
    titles = [
        {"number": number, "kind": "saved.changed", "at": "2026-11-21T01:02:03Z", "actor": payload, "read": False}
        | {"data": {"type": payload, "id": payload, "title": payload, "op": payload}}
        for number, payload in enumerate(PAYLOADS[::2], start=1)
    ]
    page = {"notifications": titles, "next": len(titles), "last": len(titles), "unread": len(titles)}
    visit.page.route("**/notifications?*", lambda route: route.fulfill(json=page))
    _open_tail(visit)
    for payload in PAYLOADS[::4]:
        # Refused, and on the trail as it was sent, with its error.
        _send_query(visit.services, f"{payload} = 1")
    rows = visit.page.locator(".tail tbody tr")
    expect(rows.filter(has_text="query.rejected").nth(len(PAYLOADS[::4]) - 1)).to_be_visible()
    visit.page.get_by_role("button", name=re.compile("unread$")).click()
    expect(visit.page.get_by_role("region", name="Notifications").get_by_role("listitem")).to_have_count(len(titles))
    assert visit.page.evaluate("globalThis.ran") is None


def _send_query(services: Services, query: str) -> None:
    headers = {"Authorization": authorization(USER)}
    url = f"{services.gateway_url}/search"
    assert urllib3.request("POST", url, json={"query": query}, headers=headers, timeout=30.0).status == 400


def test_the_tail_is_offered_to_auditors_alone(visit: Visit) -> None:
    visit.open()
    expect(visit.page.get_by_role("button", name="History")).to_be_visible()
    expect(visit.page.get_by_role("button", name="Live", exact=True)).to_have_count(0)


@pytest.mark.parametrize(("theme", "width"), _SIZES)
def test_inbox_and_tail_have_no_finding_and_are_looked_at(
    new_visit: NewVisit, writer: str, theme: Literal["light", "dark"], width: int
) -> None:
    del writer
    visit = new_visit(viewport={"width": width, "height": 800}, color_scheme=theme)
    _listening(visit, OPERATOR)
    _write(visit.services, f"{theme}-{width}")
    visit.page.get_by_role("button", name=re.compile("unread$")).click()
    expect(visit.page.get_by_role("region", name="Notifications").get_by_role("listitem").first).to_be_visible()
    assert visit.findings() == []
    visit.picture(f"inbox-{theme}-{width}")
    visit.page.keyboard.press("Escape")
    visit.page.get_by_role("button", name="Live", exact=True).click()
    expect(visit.page.locator(".pill.open")).to_be_visible()
    for query in ("Site = ankara", "OS.Type = Linux AND NOT Site in (london, austin)", "Hostname = octoxlabs*"):
        ask(visit.services, "POST", "/search", USER, query=query)
    expect(visit.page.get_by_role("row").filter(has_text="octoxlabs")).to_be_visible()
    assert visit.findings() == []
    visit.picture(f"tail-{theme}-{width}")
