"""One person's browser at the console."""

import re
from pathlib import Path
from typing import Any

import orjson
import urllib3
from playwright.sync_api import Locator, Page, Response, expect

from local.services import USER, Services
from tests.support.paths import ROOT

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "build" / "console"
POLICY_REPORTER = (
    "document.addEventListener('securitypolicyviolation', (e) => "
    "reportedByPolicy(`${e.effectiveDirective} ${e.blockedURI} ${e.sample} ${e.sourceFile}:${e.lineNumber}`))"
)
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Visit:
    """A browser's page, and what its content policy, its scripts and its network have reported.

    Attributes:
        page: the page.
        reports: violations of the content policy.
        faults: errors that no script has caught.
        elsewhere: requests to other origins.
        asked: the paths that were asked for, in order.
    """

    def __init__(self, page: Page, services: Services) -> None:
        self.page = page
        self.services = services
        self.reports: list[str] = []
        self.faults: list[str] = []
        self.elsewhere: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if url.startswith(self.services.gateway_url):
            self.asked.append(url.removeprefix(self.services.gateway_url))
        else:
            self.elsewhere.append(url)

    def report(self, violation: str) -> None:
        """Note a violation of the content policy."""
        self.reports.append(violation)

    @property
    def box(self) -> Locator:
        """The query box."""
        return self.page.get_by_role("textbox", name="Query")

    def leave(self) -> None:
        """Leave the page, which gives up its snapshot, and close the browser."""
        self.page.unroute_all(behavior="ignoreErrors")
        self.page.context.set_offline(False)
        self.page.goto("about:blank")
        self.page.context.close()

    def password(self, name: str) -> str:
        """The password of a demo user."""
        return (self.services.home / f"{name}-password").read_text(encoding="utf-8")

    def log_in(self, name: str = USER, password: str | None = None) -> None:
        """Log in by the form that is there."""
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(password or self.password(name))
        self.page.get_by_role("button", name="Log in", exact=True).click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def open(self, fragment: str = "/", name: str = USER) -> None:
        """Open the page, and log in."""
        self.page.goto(self.services.gateway_url + fragment)
        self.log_in(name)
        expect(self.box).to_be_visible()

    def type(self, query: str) -> None:
        """Put a query into the box in the place of the one that is there, at once."""
        self.box.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(query)

    def search(self, query: str) -> Response:
        """Run a query; gives its answer, once it is shown."""
        self.type(query)
        with self.page.expect_response(lambda response: response.url.endswith("/search")) as answer:
            self.page.keyboard.press("Enter")
        if answer.value.ok:
            expect(self.page.locator("[data-phase=found]")).to_be_visible()
        return answer.value

    def cell(self, row: int, column: int) -> Locator:
        """A cell of the grid, both from 0; the column 0 opens the row."""
        return self.page.locator(f'[data-row="{row}"] [data-column="{column}"]')

    def findings(self) -> list[str]:
        """Findings of axe-core: faults for people with assistive technology."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        violations: list[dict[str, Any]] = self.page.evaluate(
            "async (tags) => (await axe.run(document, {runOnly: tags})).violations", _STANDARDS
        )
        return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}" for each in violations]

    def picture(self, name: str) -> Path:
        """Take a picture of the page as it is."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        return path


def ask(
    services: Services, method: str, path: str, user: str = USER, *, if_match: str | None = None, **body: Any
) -> Any:
    """Ask the gateway's API as a demo user, by password; gives the answer's JSON."""
    password = (services.home / f"{user}-password").read_text(encoding="utf-8")
    tokens = _send(services, "POST", "/auth/login", {}, {"username": user, "password": password})
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    if if_match is not None:
        headers["If-Match"] = if_match
    return _send(services, method, path, headers, body)


def _send(services: Services, method: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> Any:
    response = urllib3.request(
        method,
        services.gateway_url + path,
        headers=headers | {"Content-Type": "application/json"},
        body=orjson.dumps(body) if body else None,
        timeout=30.0,
    )
    assert response.status < 300, response.data
    return orjson.loads(response.data) if response.data else None


def text_of(locator: Locator) -> str:
    """The text of an element, with single blanks."""
    return re.sub(r"\s+", " ", locator.inner_text()).strip()
