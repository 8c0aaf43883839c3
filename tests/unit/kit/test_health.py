"""Health and metrics over HTTP, of a loop that turns, hangs, or waits for its servers."""

import time
from types import SimpleNamespace
from typing import cast

import pytest
import urllib3
from urllib3 import BaseHTTPResponse

from indexing.loop import Loop
from kit.health import serve_health
from local import ports


class _Loop(SimpleNamespace):  # pylint: disable=too-few-public-methods  # as much as is asked for
    """A loop as the health port sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.last_turn = time.monotonic()
        self.wrong: dict[str, str | None] = {"elasticsearch": None, "kafka": None}

    def dependencies(self) -> dict[str, str | None]:
        """The reason why each dependency is not ready."""
        return self.wrong


class _Health:  # pylint: disable=too-few-public-methods  # it is asked
    """The port, and the loop behind it."""

    def __init__(self) -> None:
        self.loop = _Loop()
        self._port = ports.free(1)[0]
        serve_health(cast(Loop, self.loop), "unit", "127.0.0.1", self._port)

    def get(self, path: str) -> BaseHTTPResponse:
        """Ask."""
        return urllib3.request("GET", f"http://127.0.0.1:{self._port}{path}", retries=False, timeout=10.0)


@pytest.fixture(name="health", scope="module")
def fixture_health() -> _Health:
    """One port for all; it is served until the process ends."""
    return _Health()


def test_a_loop_that_turns_is_healthy_and_one_that_hangs_is_not(health: _Health) -> None:
    health.loop.last_turn = time.monotonic()
    assert (health.get("/healthz").status, health.get("/healthz").json()["status"]) == (200, "ok")

    health.loop.last_turn = time.monotonic() - 61
    answer = health.get("/healthz")
    assert (answer.status, answer.json()["status"]) == (503, "stuck")
    assert answer.json()["idle_s"] >= 61


def test_readiness_names_each_dependency_and_its_reason(health: _Health) -> None:
    health.loop.wrong = {"elasticsearch": None, "kafka": None}
    answer = health.get("/readyz")
    assert (answer.status, answer.json()) == (
        200,
        {"status": "ok", "dependencies": {"elasticsearch": "ok", "kafka": "ok"}},
    )

    health.loop.wrong = {"elasticsearch": "HTTP 403", "kafka": None}
    answer = health.get("/readyz")
    assert (answer.status, answer.json()) == (
        503,
        {"status": "unready", "dependencies": {"elasticsearch": "HTTP 403", "kafka": "ok"}},
    )


def test_metrics_are_prometheus_text(health: _Health) -> None:
    answer = health.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "# TYPE indexing_lag gauge" in answer.data.decode()


def test_any_other_path_is_404_and_names_those_that_there_are(health: _Health) -> None:
    answer = health.get("/")
    assert (answer.status, answer.json()["paths"]) == (404, ["/metrics", "/healthz", "/readyz"])


def test_a_query_string_is_ignored(health: _Health) -> None:
    assert health.get("/metrics?a=b").status == 200


def test_an_address_that_is_taken_is_an_error_at_once(health: _Health) -> None:
    with pytest.raises(OSError):
        serve_health(cast(Loop, health.loop), "unit", "127.0.0.1", health._port)  # pylint: disable=protected-access
