"""The page in a real browser: Debian's Chromium on the whole system."""

import shutil
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from local.services import Services
from tests.support.visit import POLICY_REPORTER, Visit

# A Chromium without windows of its own costs a quarter of the processor time of one that has them.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")

# A machine that does other work too is slower than a person's own.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them where there is no browser."""
    for item in items:
        if "tests/e2e/console" in item.path.as_posix():
            item.add_marker(pytest.mark.console)
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip("there is no Chromium here (Debian: apt install chromium-headless-shell)")
                )


class NewVisit(Protocol):  # pylint: disable=too-few-public-methods  # a function with a keyword
    """Opens a browser with nothing in it."""

    def __call__(self, *, checked: bool = True, **options: Any) -> Visit: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module: Playwright's loop in this thread is in the way of Django's tests."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def new_visit(browser: Browser, services: Services) -> Iterator[NewVisit]:
    """Open browsers; at the end the policy must have had nothing to report in any that is checked."""
    visits: list[tuple[Visit, bool]] = []

    def begin(*, checked: bool = True, **options: Any) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        visit = Visit(context.new_page(), services)
        context.expose_function("reportedByPolicy", visit.report)
        context.add_init_script(POLICY_REPORTER)
        visits.append((visit, checked))
        return visit

    yield begin
    for visit, _ in visits:
        visit.leave()
    for visit, checked in visits:
        if checked:
            assert (visit.reports, visit.faults, visit.elsewhere) == ([], [], [])


@pytest.fixture
def visit(new_visit: NewVisit) -> Visit:
    """One browser."""
    return new_visit()
