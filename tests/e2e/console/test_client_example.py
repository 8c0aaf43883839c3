"""The example in ``docs/examples``: a page of Bootstrap and jQuery that searches by ``sluice-client.js``."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from local.services import USER
from tests.e2e.console.conftest import NewVisit
from tests.support.paths import ROOT
from tests.support.visit import Visit

_LIBRARIES = ROOT / "web" / "node_modules"
_FILES = {
    "example.html": ROOT / "docs" / "examples" / "bootstrap.html",
    "bootstrap.min.css": _LIBRARIES / "bootstrap" / "dist" / "css" / "bootstrap.min.css",
    "jquery.min.js": _LIBRARIES / "jquery" / "dist" / "jquery.min.js",
}

pytestmark = pytest.mark.skipif(
    not all(path.exists() for path in _FILES.values()),
    reason="Bootstrap and jQuery are installed by Node: make console",
)


def _serve(path: Path) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        route.fulfill(path=path)

    return answer


@pytest.fixture
def example(new_visit: NewVisit) -> Visit:
    """The example, at an address of the gateway's."""
    visit = new_visit()
    for name, path in _FILES.items():
        visit.page.route(f"{visit.services.gateway_url}/tools/{name}", _serve(path))
    visit.page.goto(f"{visit.services.gateway_url}/tools/example.html")
    return visit


def test_it_logs_in_searches_reads_on_and_tells_what_is_wrong(example: Visit) -> None:
    page = example.page
    page.get_by_label("User name").fill(USER)
    page.get_by_label("Password").fill(example.password(USER))
    page.get_by_role("button", name="Log in").click()
    query = page.get_by_label("Query")
    expect(query).to_be_focused()
    query.fill("Site = ankara")
    query.press("Enter")
    expect(page.get_by_role("row")).to_have_count(51)
    expect(page.get_by_text("machines, receipt")).to_be_visible()
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("row")).to_have_count(101)
    query.fill("Hostnme = web*")
    query.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Perhaps: Hostname")
    assert example.findings() == []
