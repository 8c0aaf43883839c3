"""The page in a real browser: Debian's Chromium on the whole system."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from local.services import USER, Services
from tests.support.paths import ROOT

CHROMIUM = shutil.which("chromium")
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "build" / "console"
EVERYTHING = "/#q="

# A machine that does other work too is slower than a person's own.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them where there is no browser."""
    for item in items:
        if "tests/e2e/console" in item.path.as_posix():
            item.add_marker(pytest.mark.console)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip("there is no Chromium here (Debian: apt install chromium)"))


@dataclass
class Visit:
    """One person's browser, and what its content policy, its scripts and its network have reported.

    Attributes:
        page: the page.
        reports: violations of the content policy.
        faults: errors that no script has caught, and what it has logged as one.
        elsewhere: requests to other origins.
    """

    page: Page
    url: str
    services: Services
    reports: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def password(self, name: str) -> str:
        """The password of a demo user."""
        return (self.services.home / f"{name}-password").read_text(encoding="utf-8")

    def log_in(self, name: str = USER) -> None:
        """Log in by the form that is there."""
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(self.password(name))
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def open(self, fragment: str = "/", name: str = USER) -> None:
        """Open the page, and log in."""
        self.page.goto(self.url + fragment)
        self.log_in(name)

    def type(self, query: str) -> None:
        """Put a query into the box in the place of the one that is there."""
        self.box.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(query)

    def search(self, query: str) -> None:
        """Run a query, and wait for its answer."""
        self.type(query)
        with self.page.expect_response(lambda response: response.url.endswith("/search")):
            self.page.keyboard.press("Enter")

    @property
    def box(self) -> "expect":  # type: ignore[valid-type]
        """The query box."""
        return self.page.get_by_role("textbox", name="Query")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module: Playwright's loop in this thread is in the way of Django's tests."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


NewVisit = Callable[..., Visit]


@pytest.fixture
def new_visit(browser: Browser, services: Services) -> Iterator[NewVisit]:
    """Open browsers with nothing in them; the policy must have had nothing to report in any."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def begin(*, checked: bool = True, **options: object) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})  # type: ignore[arg-type]
        contexts.append(context)
        visit = Visit(context.new_page(), services.gateway_url, services)
        context.expose_function("reportedByPolicy", visit.reports.append)
        context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (e) => "
            "reportedByPolicy(`${e.effectiveDirective} ${e.blockedURI} ${e.sample} ${e.sourceFile}:${e.lineNumber}`))"
        )
        visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
        visit.page.on(
            "request",
            lambda request: None if request.url.startswith(services.gateway_url) else visit.elsewhere.append(request.url),
        )
        if checked:
            visits.append(visit)
        return visit

    yield begin
    for visit in visits:
        assert (visit.reports, visit.faults, visit.elsewhere) == ([], [], [])
    for context in contexts:
        with suppress(Exception):
            context.close()


@pytest.fixture
def visit(new_visit: NewVisit) -> Visit:
    """One browser with nothing in it."""
    return new_visit()


os.environ.setdefault("DEBUG", "")
