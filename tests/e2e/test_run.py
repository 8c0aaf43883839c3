"""`make run`, as its user meets it: it serves, refuses a second one, keeps its data, and leaves no process behind.

Whichever of its programs ends, the rest is stopped: tests/integration/local/test_supervisor.py.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from local import ports
from local.settings import LocalSettings
from tests.support.process import Process
from tests.support.waiting import eventually

_VARIABLES = list(LocalSettings().ports())
_PATIENCE_SECONDS = 600
_COMMAND = (sys.executable, "-m", "local", "run")


class _Run(Process):
    """One `python -m local run` in a folder and on ports of its own."""

    def __init__(self, home: Path) -> None:
        chosen = zip(_VARIABLES, ports.free(len(_VARIABLES)), strict=True)
        self.ports = {name: str(port) for name, port in chosen}
        self.environment = {**os.environ, "LOCAL_HOME": str(home), **self.ports}
        self.output = home.parent / "output"
        super().__init__(*_COMMAND, environment=self.environment, log=self.output)
        self.start()

    def printed(self) -> str:
        """The output so far."""
        return self.output.read_text(encoding="utf-8")

    def wait_until_it_serves(self) -> None:
        """Wait for the last line before it serves; fail if it ends instead."""

        def serves() -> bool:
            assert self.is_running, self.printed()
            return "Ctrl-C stops everything" in self.printed()

        eventually(serves, "it serves", _PATIENCE_SECONDS)

    def recorded_queries(self) -> set[str]:
        """Ids of the searches in the audit index, where the users made at the first start have left events too."""
        address = f"http://127.0.0.1:{self.ports['LOCAL_ELASTICSEARCH_PORT']}"
        url = f"{address}/query-logs-*/_search?q=event.action:query.executed&size=100&_source=false"
        return {hit["_id"] for hit in urllib3.request("GET", url).json()["hits"]["hits"]}

    def descendants(self) -> list[psutil.Process]:
        """All processes below this one."""
        found: list[psutil.Process] = self.process.children(recursive=True)
        return found

    def child(self, command: str) -> psutil.Process:
        """The topmost process below this one with these words in its command line."""
        return next(process for process in self.descendants() if command in " ".join(process.cmdline()))

    def assert_nothing_is_left(self, descendants: list[psutil.Process]) -> None:
        """Fail unless all of these processes end."""
        _, alive = psutil.wait_procs(descendants, timeout=30)
        assert not alive


@pytest.fixture
def run(tmp_path: Path) -> Iterator[_Run]:
    """A run that serves; it is ended with the test."""
    started = _Run(tmp_path / "home")
    try:
        started.wait_until_it_serves()
        yield started
    finally:
        started.stop(within=_PATIENCE_SECONDS)


def test_a_second_run_is_refused_the_data_survive_ctrl_c_and_without_kafka_everything_is_stopped(run: _Run) -> None:
    second = subprocess.run(
        _COMMAND,
        env=run.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1
    assert "already runs" in second.stderr

    begin = f"http://127.0.0.1:{run.ports['LOCAL_GATEWAY_PORT']}/auth/demo"
    assert f"a log-in by OpenID Connect, in a browser and without a password: {begin}" in run.printed()
    begun = urllib3.request("GET", begin, redirect=False)
    assert begun.headers["Location"].startswith(
        f"http://127.0.0.1:{run.ports['LOCAL_IDENTITY_PROVIDER_PORT']}/authorize?"
    )

    recorded = run.recorded_queries()
    everything = run.descendants()
    assert run.stop(signal.SIGINT, _PATIENCE_SECONDS) == 0
    assert run.printed().splitlines()[-1] == "Stopped."
    run.assert_nothing_is_left(everything)

    run.start()
    run.wait_until_it_serves()
    # The main job has waited for the document of its first search; that of its second may come later.
    assert set() < recorded < run.recorded_queries(), "the data survive"

    everything = run.descendants()
    run.child("kafka.Kafka").kill()
    assert run.process.wait(timeout=_PATIENCE_SECONDS) == 1
    assert run.printed().splitlines()[-1].startswith("Sluice stopped: kafka ")
    run.assert_nothing_is_left(everything)
