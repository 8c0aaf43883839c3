"""The page of the console: its policy, its files, and what of them a browser may keep."""

import gzip
import re
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import pytest
from django.http.response import ResponseHeaders
from django.test import Client
from pytest_django import Settings

from gateway.console.settings import IMMUTABLE_FILES
from gateway.console.views import POLICY, STATIC
from tests.support.paths import ROOT

# A test of another file may have left a connection, which the end of each request looks at.
pytestmark = pytest.mark.django_db

_MAX_SCRIPT_BYTES = 160_000
_MAX_STYLE_BYTES = 12_000


def _loaded(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', page)


def _static(path: str, coding: str = "identity") -> tuple[int, ResponseHeaders, bytes]:
    """A static file's status, headers and body."""
    with closing(Client().get(path, headers={"Accept-Encoding": coding})) as response:
        return response.status_code, response.headers, response.getvalue()


def test_the_page_comes_with_the_whole_policy_and_is_asked_for_each_time() -> None:
    response = Client().get("/")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")
    assert response["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    assert response["Cache-Control"] == "no-cache"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


def test_the_policy_adds_the_one_address_of_live_sockets(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"live_url": "ws://127.0.0.1:8003"})
    policy = Client().get("/")["Content-Security-Policy"]
    assert policy == POLICY.replace("connect-src 'self';", "connect-src 'self' ws://127.0.0.1:8003;")
    assert policy != POLICY


def test_the_edge_has_the_same_policy_for_it() -> None:
    edge = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text(encoding="utf-8")
    assert f'"/"          "{POLICY}";' in edge


def test_it_has_nothing_inline_and_all_that_it_loads_is_there_for_good() -> None:
    page = Client().get("/").content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\son\w+=", page)
    loaded = _loaded(page)
    assert {Path(path).suffix for path in loaded} == {".js", ".css", ".svg"}
    for path in loaded:
        status, headers, _ = _static(path)
        assert status == HTTPStatus.OK
        assert headers["Cache-Control"] == "max-age=315360000, public, immutable"


@pytest.mark.parametrize(("suffix", "limit"), [(".js", _MAX_SCRIPT_BYTES), (".css", _MAX_STYLE_BYTES)])
def test_the_first_page_is_small(suffix: str, limit: int) -> None:
    loaded = [path for path in _loaded(Client().get("/").content.decode()) if path.endswith(suffix)]
    sizes = [len((STATIC / f"{path.removeprefix('/static/')}.gz").read_bytes()) for path in loaded]
    assert 0 < sum(sizes) <= limit


def test_a_browser_that_takes_gzip_gets_it() -> None:
    (script,) = [path for path in _loaded(Client().get("/").content.decode()) if path.endswith(".js")]
    _, headers, packed = _static(script, "gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == _static(script)[2]


def test_the_page_is_no_static_file_which_would_lack_the_policy() -> None:
    assert not list(STATIC.rglob("*.html"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/static/console/assets/index-B3x_y-9Z.js", True),
        ("/static/console/sluice-client.js", False),
        ("/static/admin/css/base.css", False),
    ],
)
def test_only_files_named_by_their_content_are_kept_for_good(url: str, expected: bool) -> None:
    assert bool(re.search(IMMUTABLE_FILES, url)) is expected


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_refused_as_everywhere(method: str) -> None:
    response = getattr(Client(), method)("/")
    assert (response.status_code, response.json()["code"]) == (405, "malformed")
