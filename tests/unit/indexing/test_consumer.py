"""The process of a consumer: its signals, its watchdog, and an address that it cannot have."""

import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from audit_sink.settings import SinkSettings
from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from indexing import consumer
from indexing.loop import DRAIN_SECONDS, Loop
from kit.kafka import KafkaSettings
from kit.settings import ConfigurationError
from local import ports


class _Projection:
    """A projection that is never asked."""

    name = "unit"

    def operations(self, *_: object) -> list[bytes]:
        """Make no operations."""
        raise NotImplementedError

    def unready(self, elasticsearch: ElasticsearchExchange) -> None:
        """Every cluster is ready."""


class _Timer:  # pylint: disable=too-few-public-methods  # it is started
    """A watchdog that is started, and never bites."""

    made: ClassVar[list["_Timer"]] = []

    def __init__(self, seconds: float, bite: Callable[[], None]) -> None:
        self.seconds = seconds
        self.bite = bite
        self.daemon = False
        self.is_started = False
        self.made.append(self)

    def start(self) -> None:
        """Start it."""
        self.is_started = True


@pytest.fixture(name="watchdogs")
def fixture_watchdogs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[_Timer]]:
    """The watchdogs that were made; the signals' handlers are the tests' own again afterwards."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(_Timer, "made", [])
    monkeypatch.setattr("kit.stop.threading.Timer", _Timer)
    yield _Timer.made
    for number, handler in kept.items():
        signal.signal(number, handler)


def _serve(port: int) -> None:
    consumer.serve(
        _Projection(),
        SinkSettings(metrics_port=port),
        topic="t",
        dead_letter_topic="t.dlq",
        kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"),
        elasticsearch=ElasticsearchSettings(url="http://127.0.0.1:1"),
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_loop_and_sets_one_watchdog_however_often_it_comes(
    number: signal.Signals, watchdogs: list[_Timer], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[bool] = []

    def run(loop: Loop) -> None:
        for _ in range(3):
            signal.raise_signal(number)
        stopped.append(loop.stopping.is_set())

    monkeypatch.setattr(Loop, "run", run)
    _serve(ports.free(1)[0])

    assert stopped == [True]
    [watchdog] = watchdogs
    assert watchdog.is_started and watchdog.daemon
    # It leaves the loop its time, and is there before most supervisors kill.
    assert DRAIN_SECONDS < watchdog.seconds < 10


def test_the_watchdog_ends_the_process_with_status_1_and_says_so(
    watchdogs: list[_Timer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[Any] = []
    monkeypatch.setattr("kit.stop.os._exit", ended.append)
    monkeypatch.setattr(Loop, "run", lambda _loop: signal.raise_signal(signal.SIGTERM))
    _serve(ports.free(1)[0])
    watchdogs[0].bite()

    assert ended == [1]
    assert "ending at once; what is not committed is read again" in caplog.text


@pytest.mark.usefixtures("watchdogs")
def test_an_address_that_is_taken_names_the_variables_to_change() -> None:
    said = "AUDIT_SINK_METRICS_HOST, AUDIT_SINK_METRICS_PORT: .*in use"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match=said):
        _serve(taken.getsockname()[1])
