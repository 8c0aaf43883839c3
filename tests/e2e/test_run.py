"""`make run`, as its user meets it: it serves, refuses a second one, survives nothing by halves, and leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from local import ports
from local.settings import LocalSettings

_VARIABLES = list(LocalSettings().ports())
_PATIENCE_SECONDS = 120


class _Run:
    """One `python -m local run` in a folder and on ports of its own."""

    def __init__(self, home: Path) -> None:
        chosen = zip(_VARIABLES, ports.free(len(_VARIABLES)), strict=True)
        self.ports = {name: str(port) for name, port in chosen}
        self.environment = {**os.environ, "LOCAL_HOME": str(home), **self.ports}
        self.output = home.parent / "output"
        self.start()

    def start(self) -> None:
        """Start it, or start it again after it has ended."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", "run"], env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )

    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until_it_serves(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while "Ctrl-C stops everything" not in self.printed():
            assert self.process.poll() is None, self.printed()
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.1)

    def recorded_queries(self) -> int:
        """How many queries the audit index holds."""
        url = f"http://127.0.0.1:{self.ports['LOCAL_ELASTICSEARCH_PORT']}/query-logs-*/_count"
        count: int = urllib3.request("GET", url).json()["count"]
        return count

    def descendants(self) -> dict[str, psutil.Process]:
        """The processes below this one, by a word of their command line."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        lines = {process: " ".join(process.cmdline()) for process in found}
        words = ("supervisord", "kafka.Kafka", "elasticsearch_node", "translator", "audit_sink", "gateway")
        return {word: next(process for process in found if word in lines[process]) for word in words}

    def assert_nothing_is_left(self, descendants: list[psutil.Process]) -> None:
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
        if started.process.poll() is None:
            started.process.terminate()
        started.process.wait(timeout=_PATIENCE_SECONDS)


def test_a_second_run_is_refused_ctrl_c_ends_the_first_and_its_data_survive(run: _Run) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "local", "run"],
        env=run.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1
    assert "already runs" in second.stderr

    everything = psutil.Process(run.process.pid).children(recursive=True)
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(timeout=_PATIENCE_SECONDS) == 0
    assert run.printed().splitlines()[-1] == "Stopped."
    run.assert_nothing_is_left(everything)

    run.start()
    run.wait_until_it_serves()
    assert run.recorded_queries() == 2


@pytest.mark.parametrize("victim", ["supervisord", "kafka.Kafka", "gateway"])
def test_a_killed_child_is_reported_and_everything_else_is_stopped(run: _Run, victim: str) -> None:
    everything = psutil.Process(run.process.pid).children(recursive=True)
    run.descendants()[victim].kill()
    assert run.process.wait(timeout=_PATIENCE_SECONDS) == 1
    last = run.printed().splitlines()[-1]
    assert last.startswith("Sluice stopped: ")
    name = {"supervisord": "the process manager", "kafka.Kafka": "kafka", "gateway": "gateway"}[victim]
    assert f"{name} " in last
    run.assert_nothing_is_left(everything)
