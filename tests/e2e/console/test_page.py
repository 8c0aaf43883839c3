"""The page's promises: box, results, session, policy."""

import json
from collections.abc import Iterator
from threading import Event, Thread
from urllib.parse import quote

import orjson
import pyotp
import pytest
import urllib3
from playwright.sync_api import expect

from local.services import OPERATOR, USER, Services
from tests.e2e.console.conftest import NewVisit
from tests.support.visit import Visit, ask, text_of
from tests.support.waiting import eventually

MANY = 10_000
_EVERYTHING = "/#q="
_PAYLOAD = "globalThis.ran=1"
_SHAPES = (
    "<script>{}</script>",
    "<img src=x onerror={}>",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<iframe srcdoc='<script>{}</script>'>",
    "<a href='javascript:{}'>x</a>",
    "javascript:{}",
    "'\"><script>{}</script>",
    "</title><script>{}</script>",
    "</textarea><script>{}</script>",
    "<body onload={}>",
    "<details open ontoggle={}>",
    "<style>@import 'javascript:{}'</style>",
    "<math><mtext><img src=x onerror={}></mtext></math>",
    "<template><script>{}</script></template>",
    "<object data='javascript:{}'>",
    "<base href='javascript:{}//'>",
    "<form action='javascript:{}'><button autofocus>",
    "{{{{constructor.constructor('{}')()}}}}",
    "${{{}}}",
    "\\u003cscript\\u003e{}\\u003c/script\\u003e",
    "&lt;script&gt;{}&lt;/script&gt;",
    "<!--><script>{}</script>-->",
    "\u202e<script>{}</script>",
    "`;{};`",
)
PAYLOADS = [f"{before}{shape.format(_PAYLOAD)}" for shape in _SHAPES for before in ("", "a\n", "\x00", '" AND "')]


class Index:
    """Elasticsearch's index of devices; what a test adds has the owner `console-test`, and is gone after it."""

    def __init__(self, elasticsearch_url: str) -> None:
        self._url = f"{elasticsearch_url}/devices/_bulk?refresh=true"
        self._added = 0

    def add(self, *documents: bytes) -> None:
        """Add documents, JSON each, without an owner."""
        owned = [document.replace(b"{", b'{"Owner":"console-test",', 1) for document in documents]
        begin = self._added
        self._added += len(documents)
        self._send([line for at, each in enumerate(owned) for line in (self._action("index", begin + at), each)])

    def clear(self) -> None:
        """Delete all that was added."""
        if self._added:
            self._send([self._action("delete", number) for number in range(self._added)])

    @staticmethod
    def _action(name: str, number: int) -> bytes:
        return orjson.dumps({name: {"_id": f"console-test-{number}"}})

    def _send(self, lines: list[bytes]) -> None:
        body = b"\n".join([*lines, b""])
        kind = {"Content-Type": "application/x-ndjson"}
        response = urllib3.request("POST", self._url, body=body, headers=kind, timeout=60.0)
        assert response.status == 200, response.data[:500]
        assert not orjson.loads(response.data)["errors"], response.data[:500]


@pytest.fixture
def index(services: Services) -> Iterator[Index]:
    """The index of devices."""
    devices = Index(services.servers.elasticsearch.url)
    yield devices
    devices.clear()


def test_a_new_user_finds_what_is_looked_for_by_keyboard_alone(visit: Visit) -> None:
    page, keyboard = visit.page, visit.page.keyboard
    page.goto(visit.services.gateway_url)
    expect(page.get_by_label("User name")).to_be_focused()
    keyboard.type(USER)
    keyboard.press("Tab")
    keyboard.type(visit.password(USER))
    keyboard.press("Enter")
    expect(visit.box).to_be_focused()
    options = page.get_by_role("option")
    keyboard.type("os.t", delay=20)
    expect(options.filter(has_text="OS.Type")).to_be_visible()
    keyboard.press("Tab")
    keyboard.type("= Lin", delay=20)
    expect(options.filter(has_text="Linux")).to_be_visible()
    keyboard.press("Tab")
    keyboard.type(" and Site = ank", delay=20)
    expect(options.filter(has_text="ankara")).to_be_visible()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(visit.cell(0, 1)).to_be_visible()
    assert text_of(visit.box) == "OS.Type = Linux and Site = ankara"
    # Tab leaves the box where no list is open: there is no trap.
    keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("button", name="Search", exact=True)).to_be_focused()
    for _ in range(30):
        keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('role')") == "gridcell":
            break
    expect(visit.cell(0, 0)).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("ArrowRight")
    expect(visit.cell(1, 1)).to_be_focused()
    name = text_of(visit.cell(1, 1))
    keyboard.press("Enter")
    expect(page.get_by_role("complementary")).to_contain_text(name)
    keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)
    visit.cell(1, 1).focus()
    keyboard.press("f")
    keyboard.press("Enter")
    expect(page.get_by_text("1 document", exact=True)).to_be_visible()
    assert text_of(visit.box) == f"OS.Type = Linux and Site = ankara AND Hostname = {name}"


def test_the_place_of_an_error_is_right_behind_wide_characters_and_one_key_mends_it(visit: Visit) -> None:
    visit.open()
    visit.type('Hostname = "😀漢👩‍👩‍👧" OR Hostnme = octoxlabs01')
    wrong = visit.page.locator(".wrong")
    expect(wrong).to_have_text("Hostnme")
    expect(visit.page.get_by_role("button", name="Use Hostname")).to_be_visible()
    visit.page.keyboard.press("Alt+Enter")
    expect(wrong).to_have_count(0)
    assert text_of(visit.box) == 'Hostname = "😀漢👩‍👩‍👧" OR Hostname = octoxlabs01'
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text("1 document", exact=True)).to_be_visible()


def test_a_hundred_quick_enters_run_what_was_typed(visit: Visit) -> None:
    visit.open()
    visit.type("Site = ankara")
    for _ in range(99):
        visit.page.keyboard.press("Enter")
    visit.type("Hostname = octoxlabs01")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text("1 document", exact=True)).to_be_visible()
    expect(visit.cell(0, 1)).to_have_text("octoxlabs01")
    assert visit.asked.count("/search") < 100


def test_sixty_characters_cost_at_most_fifteen_requests(visit: Visit) -> None:
    visit.open()
    expect(visit.page.get_by_role("list", name="Fields of devices")).to_be_visible()
    visit.box.click()
    before = len(visit.asked)
    query = "OS.Type = Linux AND Site = ankara AND Managed = true AND Hostname = web*"
    assert len(query) >= 60
    visit.page.keyboard.type(query, delay=70)
    visit.page.wait_for_timeout(1_000)
    assert 0 < len(visit.asked) - before <= 15


def test_a_link_restores_query_order_columns_and_widths(visit: Visit, new_visit: NewVisit) -> None:
    visit.open()
    visit.search("Site = ankara")
    visit.page.get_by_role("columnheader", name="Hostname").get_by_role("button").click()
    visit.page.wait_for_url("**sort=Hostname**")
    visit.page.get_by_role("button", name="Columns").click()
    visit.page.get_by_label("Site", exact=True).check()
    visit.page.get_by_label("Width of Hostname").fill("320")
    visit.page.get_by_role("button", name="Done").click()
    expect(visit.page.locator("[data-phase=found]")).to_be_visible()
    second = new_visit()
    second.page.goto(visit.page.url)
    second.log_in()
    expect(second.cell(0, 1)).to_be_visible()
    assert text_of(second.box) == "Site = ankara"
    expect(second.page.get_by_role("columnheader", name="Hostname")).to_have_attribute("aria-sort", "ascending")
    heads = [text_of(each) for each in second.page.get_by_role("columnheader").all()]
    assert heads == [text_of(each) for each in visit.page.get_by_role("columnheader").all()]
    assert any(head.startswith("Site") for head in heads)
    box = second.cell(0, 1).bounding_box()
    assert box is not None
    assert box["width"] == 320
    # The fragment is not sent: no path that was asked has a query.
    assert not [path for path in second.asked if "ankara" in path]


def test_ten_thousand_rows_are_read_on_of_one_snapshot_during_writes(visit: Visit, index: Index) -> None:
    index.add(*(orjson.dumps({"Hostname": f"many-{n:05}"}) for n in range(MANY)))
    found: list[str] = []
    visit.page.on(
        "response",
        lambda response: (
            found.extend(each["Hostname"] for each in response.json()["results"])
            if response.url.endswith("/search")
            else None
        ),
    )
    visit.open("/#q=Owner+%3D+console-test&col=Hostname")
    expect(visit.cell(0, 1)).to_be_visible()
    stop = Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.1):
            index.add(orjson.dumps({"Hostname": f"late-{number}"}))
            number += 1

    writer = Thread(target=write)
    writer.start()
    try:
        visit.cell(0, 1).focus()
        for _ in range(1_000):
            visit.page.keyboard.press("Control+End")
            if visit.page.get_by_text("10,000 rows, all read, of one snapshot").is_visible():
                break
            visit.page.wait_for_timeout(50)
    finally:
        stop.set()
        writer.join()
    expect(visit.page.get_by_text("10,000 rows, all read, of one snapshot")).to_be_visible()
    assert sorted(found) == [f"many-{n:05}" for n in range(MANY)]
    visit.page.keyboard.press("Control+End")
    expect(visit.cell(MANY - 1, 1)).to_have_text(found[-1])
    assert visit.page.evaluate("document.querySelectorAll('*').length") <= 3_000


def test_integers_are_shown_exactly(visit: Visit, index: Index) -> None:
    index.add(b'{"Hostname":"big","Labels":{"n":9223372036854775807}}')
    visit.open()
    visit.search("Hostname = big")
    visit.cell(0, 0).click()
    visit.page.get_by_text("JSON", exact=True).last.click()
    expect(visit.page.get_by_role("complementary").locator("pre")).to_contain_text('"n": 9223372036854775807')


def test_a_cell_adds_its_value_to_the_query_or_excludes_it(visit: Visit) -> None:
    visit.open()
    visit.search("Site = ankara OR Site = london")
    name = text_of(visit.cell(2, 1))
    visit.cell(2, 1).click()
    visit.page.get_by_role("menuitem", name="Not these").click()
    expect(visit.page.locator("[data-phase=found]")).to_be_visible()
    assert text_of(visit.box) == f"(Site = ankara OR Site = london) AND Hostname != {name}"


@pytest.mark.parametrize(("button", "lines"), [("Download CSV", 13), ("NDJSON", 12)])
def test_all_rows_with_the_chosen_columns_come_as_a_file(visit: Visit, button: str, lines: int) -> None:
    visit.open("/#q=Hostname+%3D+octoxlabs*&sort=Hostname&col=Hostname&col=Site")
    expect(visit.cell(0, 1)).to_be_visible()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name=button).click()
    rows = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(rows) == lines
    assert "octoxlabs12" in rows[-1]
    assert "Ip" not in rows[0]


def test_a_search_of_the_past_is_run_again(visit: Visit) -> None:
    visit.open()
    visit.search("Hostname = octoxlabs07")
    past = visit.page.get_by_role("button", name="Hostname = octoxlabs07")
    for _ in range(60):
        visit.page.get_by_role("button", name="History").click()
        visit.page.wait_for_timeout(500)
        if past.count():
            break
    past.first.click()
    expect(visit.cell(0, 1)).to_have_text("octoxlabs07")


def test_searches_and_pages_that_are_left_close_their_snapshots(visit: Visit) -> None:
    visit.open()
    for number in range(12):
        assert visit.search(f"RiskScore >= {number / 10}").ok
    for _ in range(12):
        visit.page.reload()
        expect(visit.cell(0, 1)).to_be_visible()


def test_a_session_that_ends_takes_nothing_with_it(visit: Visit) -> None:
    visit.open()
    visit.search("Site = ankara")
    url = visit.services.gateway_url
    ended = visit.page.context.request.delete(f"{url}/auth/session", headers={"Origin": url})
    assert ended.status == 204
    visit.type("Hostname = octoxlabs02")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("dialog")).to_contain_text("Your session has ended")
    visit.log_in()
    expect(visit.cell(0, 1)).to_have_text("octoxlabs02")
    assert text_of(visit.box) == "Hostname = octoxlabs02"


def test_who_types_is_not_interrupted_by_what_the_page_asks_by_itself(visit: Visit) -> None:
    ended = b'{"type": "about:blank", "title": "x", "status": 401, "code": "unauthenticated", "detail": "No."}'
    visit.page.route(
        "**/notifications?*",
        lambda route: route.fulfill(status=401, content_type="application/problem+json", body=ended),
    )
    with visit.page.expect_response(lambda response: "/notifications?" in response.url):
        visit.open()
    visit.type("Hostname = octoxlabs02")
    expect(visit.page.get_by_role("dialog")).to_have_count(0)
    visit.page.keyboard.press("Enter")
    expect(visit.cell(0, 1)).to_have_text("octoxlabs02")


def test_the_session_outlives_the_page_and_ends_with_log_out(visit: Visit) -> None:
    visit.open(_EVERYTHING)
    expect(visit.cell(0, 1)).to_be_visible()
    visit.page.reload()
    expect(visit.cell(0, 1)).to_be_visible()
    visit.page.get_by_role("button", name="Log out").click()
    expect(visit.page.get_by_role("dialog")).to_be_visible()
    assert "octoxlabs" not in visit.page.content()
    visit.page.reload()
    expect(visit.page.get_by_role("dialog")).to_be_visible()


def test_a_log_in_by_a_provider_has_a_window_of_its_own_and_loses_nothing(visit: Visit) -> None:
    visit.page.goto(f"{visit.services.gateway_url}/#q=Site+%3D+ankara")
    for person in ("ada", "grace"):
        with visit.page.expect_popup() as window:
            visit.page.get_by_role("button", name="Log in with the demo's provider").click()
        popup = window.value
        expect(visit.page.get_by_text("Log in in the other window.")).to_be_visible()
        with popup.expect_event("close"):
            popup.get_by_role("button", name=person).click()
        expect(visit.page.get_by_role("dialog")).to_have_count(0)
        expect(visit.page.get_by_text(f"{person}@example.com")).to_be_visible()
        expect(visit.box).to_have_text("Site = ankara")
        expect(visit.cell(0, 1)).to_be_visible()
        # The session ends, and somebody else comes: what was typed is there for both.
        url = visit.services.gateway_url
        visit.page.context.request.delete(f"{url}/auth/session", headers={"Origin": url})
        visit.page.keyboard.press("Escape")
        visit.box.click()
        visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_text("Your session has ended")).to_be_visible()


def test_a_wrong_password_is_told_and_a_second_factor_is_asked_for(visit: Visit) -> None:
    password = "a horse, a battery, a staple"
    ask(
        visit.services,
        "POST",
        "/auth/users",
        OPERATOR,
        username="console-factor",
        password=password,
        indices=["devices"],
    )
    url, headers = visit.services.gateway_url, {"Content-Type": "application/json"}
    tokens = urllib3.request(
        "POST", f"{url}/auth/login", json={"username": "console-factor", "password": password}
    ).json()
    headers["Authorization"] = f"Bearer {tokens['access_token']}"
    secret = urllib3.request("POST", f"{url}/auth/totp", headers=headers, body=b"{}").json()["secret"]
    code = json.dumps({"code": pyotp.TOTP(secret).now()})
    recovery = urllib3.request("POST", f"{url}/auth/totp/confirm", headers=headers, body=code).json()["recovery_codes"]
    page = visit.page
    page.goto(url)
    page.get_by_label("User name").fill("console-factor")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("alert").first).to_have_text("Name or password is wrong.")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_label("Code of your authenticator")).to_be_focused()
    page.get_by_label("Code of your authenticator").fill("000000")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("The code is wrong")
    page.get_by_label("Code of your authenticator").fill(recovery[0])
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(visit.box).to_be_visible()


def test_hostile_values_and_names_run_nowhere(visit: Visit, index: Index) -> None:
    assert len(PAYLOADS) == 100
    documents = ({"Hostname": payload, "Description": payload, "Labels": {"x": payload}} for payload in PAYLOADS)
    index.add(*(orjson.dumps(document) for document in documents))
    visit.open(f"/#q={quote('Owner = console-test')}&col=Hostname&col=Description&col={quote(PAYLOADS[1])}")
    expect(visit.page.get_by_text("100 documents")).to_be_visible()
    visit.page.get_by_role("button", name="Plain table").click()
    expect(visit.page.get_by_role("table").get_by_role("row")).to_have_count(101)
    visit.page.get_by_role("button", name="Plain table").click()
    for row in range(10):
        visit.cell(row, 1).click()
        visit.page.keyboard.press("Escape")
        visit.cell(row, 0).click()
        expect(visit.page.get_by_role("complementary")).to_be_visible()
        visit.page.keyboard.press("Escape")
    # One of each shape: a query that is answered, so that what is wrong with it is drawn.
    for payload in PAYLOADS[::4]:
        assert visit.search(f"RiskScore = {json.dumps(payload, ensure_ascii=False)}").status == 400
        expect(visit.page.get_by_role("region", name="Query").get_by_role("alert")).not_to_be_empty()
    assert visit.page.evaluate("globalThis.ran") is None


def test_no_token_is_where_a_script_or_a_shoulder_finds_it(visit: Visit) -> None:
    visit.open(_EVERYTHING)
    expect(visit.cell(0, 1)).to_be_visible()
    kept = visit.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    assert json.loads(kept)[:3] == [{}, {}, ""]
    assert "eyJ" not in kept + visit.page.content()
    (cookie,) = visit.page.context.cookies()
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")


@pytest.mark.parametrize(
    ("attack", "directive"),
    [
        (
            "const s = document.createElement('script'); s.textContent = 'ran = 1'; document.body.append(s)",
            "require-trusted-types-for",
        ),
        ("document.body.innerHTML = '<b>x</b>'", "require-trusted-types-for"),
        ("const i = new Image(); i.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='", "img-src"),
        ("document.body.setAttribute('style', 'color: red')", "style-src-attr"),
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "connect-src"),
        (
            "const f = document.createElement('iframe'); f.src = 'http://127.0.0.1:9/'; document.body.append(f)",
            "frame-src",
        ),
        ("trustedTypes.createPolicy('x', {createHTML: (t) => t})", "trusted-types"),
    ],
    ids=["script", "markup", "image", "style", "request", "frame", "exception"],
)
def test_the_policy_bites(new_visit: NewVisit, attack: str, directive: str) -> None:
    visit = new_visit(checked=False)
    visit.open()
    assert visit.reports == []
    visit.page.evaluate(f"try {{ {attack} }} catch {{}}")
    visit.page.wait_for_function("true")
    for _ in range(50):
        if visit.reports:
            break
        visit.page.wait_for_timeout(100)
    assert [report for report in visit.reports if report.startswith(directive)], visit.reports
    assert visit.page.evaluate("globalThis.ran") is None


def test_the_first_page_takes_at_most_six_requests(visit: Visit) -> None:
    visit.page.goto(visit.services.gateway_url)
    expect(visit.page.get_by_label("Password")).to_be_visible()
    assert len(visit.asked) <= 6
    visit.log_in()
    expect(visit.box).to_be_visible()
    visit.asked.clear()
    visit.page.reload()
    expect(visit.box).to_be_visible()
    eventually(lambda: any(path.startswith("/fields") for path in visit.asked), "the fields are asked for")
    until_usable = [path for path in visit.asked if not path.startswith(("/notifications", "/auth/tickets"))]
    assert "/auth/session/token" in until_usable
    assert len(until_usable) <= 6
