"""Kafka and the gateway are stopped, frozen and killed under load: for every answer there is an event in the end."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
import urllib3
from confluent_kafka import KafkaError
from urllib3.exceptions import HTTPError

from gateway.audit import AuditTrail
from gateway.producer import EventProducer
from gateway.settings import AuditMode
from gateway.spool import Spool
from local import ports
from tests.broker import TOPIC, Broker, broker
from tests.integration.audit_sink.harness import event, eventually
from tests.integration.gateway.conftest import PATIENCE_SECONDS, Backing
from tests.integration.gateway.process import AUTHORIZATION, Gateway, configured_gateway
from tests.query_event import read_event

CLIENTS = 8


@pytest.fixture(scope="module")
def mortal_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for this module's tests to harm."""
    with broker(tmp_path_factory.mktemp("kafka")) as node:
        yield node


@pytest.fixture
def kafka(mortal_broker: Broker) -> Iterator[Broker]:
    """That broker, up again whatever the test before has done to it."""
    mortal_broker.revive()
    yield mortal_broker


@pytest.fixture
def gateway(tmp_path: Path, backing: Backing, kafka: Broker) -> Gateway:
    """A gateway whose audit trail is on that broker."""
    variables = {"KAFKA_BOOTSTRAP_SERVERS": kafka.settings.bootstrap_servers, "AUDIT_TOPIC": TOPIC}
    return configured_gateway(tmp_path, backing, GATEWAY_AUDIT_TIMEOUT="0.5", **variables)


@dataclass
class Load:
    """Clients that search one after the other as fast as they are answered, each numbering its queries."""

    url: str
    padding: str = ""
    answered: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Load the gateway while the block lasts."""
        threads = [threading.Thread(target=self._search, args=(client,)) for client in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def wait_for(self, answers: int) -> None:
        """Wait until there are so many more answers."""
        wanted = len(self.answered) + answers
        eventually(lambda: len(self.answered) >= wanted, f"{wanted} answers")

    def _search(self, client: int) -> None:
        pool = urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS)
        number = 0
        while not self._over.is_set():
            number += 1
            body = orjson.dumps(
                {"query": f"Hostname = client-{client}{self.padding} OR Hostname = {number}", "size": 1}
            )
            started = time.monotonic()
            try:
                response = pool.request("POST", f"{self.url}/search", body=body, headers=AUTHORIZATION)
            except HTTPError:
                time.sleep(0.02)  # it has just been killed
                continue
            answer = response.json()
            if response.status == 200:
                self.answered[answer["query_id"]] = client, number
                self.slowest = max(self.slowest, time.monotonic() - started)
            else:
                self.refused[answer["code"]] += 1
        pool.clear()


@dataclass
class Account:
    """What clients were answered against what is on the topic."""

    load: Load
    events: list[str]

    @property
    def lost(self) -> set[str]:
        """Answers without an event."""
        return self.load.answered.keys() - set(self.events)

    @property
    def doubled(self) -> int:
        """Records that another one of the same id went before."""
        return len(self.events) - len(set(self.events))

    @property
    def is_in_order(self) -> bool:
        """Whether the events of each client are in the order in which it was answered."""
        order = [self.load.answered[event] for event in dict.fromkeys(self.events) if event in self.load.answered]
        clients = [[number for client, number in order if client == each] for each in range(CLIENTS)]
        return all(numbers == sorted(numbers) for numbers in clients)

    def __str__(self) -> str:
        return (
            f"answers {len(self.load.answered)}, refused {dict(self.load.refused)}, records {len(self.events)}, "
            f"doubled {self.doubled}, without an answer {len(set(self.events) - self.load.answered.keys())}, "
            f"lost {len(self.lost)}, slowest answer {self.load.slowest:.2f} s"
        )


def _account(load: Load, kafka: Broker) -> Account:
    since = min(load.answered)  # ids sort by time: what earlier tests have left is passed over
    events = [read_event(message.value())["event_id"] for message in kafka.records()]
    account = Account(load, [event for event in events if event >= since])
    print(f"\n{account}")
    return account


def _spooled(gateway: Gateway) -> int:
    ready = urllib3.request("GET", f"{gateway.url}/readyz", retries=False, timeout=10.0).json()
    return int(ready["spool"]["records"])


def _wait_until_sent(gateway: Gateway) -> None:
    eventually(lambda: _spooled(gateway) == 0, "the spool is sent")


def test_kafka_killed_under_load_costs_no_answer_and_no_event(gateway: Gateway, kafka: Broker) -> None:
    load = Load(gateway.url)
    with gateway.started(), load.running():
        load.wait_for(100)
        kafka.end(signal.SIGKILL)
        load.wait_for(300)
        assert _spooled(gateway) > 0
        kafka.start()
        load.wait_for(100)
        _wait_until_sent(gateway)
        load.wait_for(100)
    account = _account(load, kafka)
    assert not account.lost
    assert not load.refused
    assert account.is_in_order


def test_kafka_frozen_under_load_delays_answers_for_a_moment_and_doubles_nothing(
    gateway: Gateway, kafka: Broker
) -> None:
    load = Load(gateway.url)
    with gateway.started(), load.running():
        load.wait_for(100)
        kafka.send(signal.SIGSTOP)
        load.wait_for(300)
        kafka.send(signal.SIGCONT)
        load.wait_for(100)
        _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert not account.lost
    assert not load.refused
    assert not account.doubled
    assert account.is_in_order
    assert load.slowest < 5


def test_the_gateway_killed_under_load_while_kafka_is_away_loses_no_answered_event(
    gateway: Gateway, kafka: Broker
) -> None:
    load = Load(gateway.url)
    with load.running():
        with gateway.started() as process:
            load.wait_for(100)
            process.kill()
        with gateway.started() as process:
            load.wait_for(100)
            kafka.end(signal.SIGKILL)
            load.wait_for(300)
            process.kill()
        with gateway.started() as process:
            load.wait_for(300)
            process.kill()
        kafka.start()
        with gateway.started():
            _wait_until_sent(gateway)
            load.wait_for(100)
    account = _account(load, kafka)
    assert not account.lost
    assert account.is_in_order


def test_what_several_workers_leave_behind_is_sent_by_one_that_starts_later(gateway: Gateway, kafka: Broker) -> None:
    kafka.end(signal.SIGTERM)
    load = Load(gateway.url)
    with gateway.started(GATEWAY_WORKERS="3") as process, load.running():
        load.wait_for(300)
        process.kill()
    kafka.start()
    with gateway.started(GATEWAY_WORKERS="1"):
        _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert not account.lost
    assert not account.doubled


def test_without_kafka_a_full_spool_refuses_and_what_was_answered_is_there_in_the_end(
    gateway: Gateway, kafka: Broker
) -> None:
    kafka.end(signal.SIGTERM)
    load = Load(gateway.url, padding="-" * 3000)
    with gateway.started(GATEWAY_SPOOL_BYTES=str(1024 * 1024)), load.running():
        eventually(lambda: load.refused["audit_unavailable"] >= 50, "the spool is full")
        ready = urllib3.request("GET", f"{gateway.url}/readyz", retries=False, timeout=10.0)
        assert ready.json()["dependencies"]["kafka"] == "down"
        kafka.start()
        load.wait_for(100)
        _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert set(load.refused) == {"audit_unavailable"}
    assert not account.lost
    assert account.is_in_order


@pytest.mark.parametrize("is_away", [False, True])
def test_stopping_under_load_answers_what_has_begun_and_loses_nothing(
    is_away: bool, gateway: Gateway, kafka: Broker
) -> None:
    if is_away:
        kafka.end(signal.SIGTERM)
    load = Load(gateway.url)
    with gateway.started() as process, load.running():
        load.wait_for(100)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    if is_away:
        kafka.start()
        with gateway.started():
            _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert not account.lost
    assert not account.doubled


def test_asynchronous_answers_do_not_wait_and_their_events_arrive_when_kafka_does(
    gateway: Gateway, kafka: Broker
) -> None:
    kafka.end(signal.SIGTERM)
    load = Load(gateway.url)
    with gateway.started(GATEWAY_AUDIT_MODE="async"):
        with load.running():
            load.wait_for(100)
        assert load.slowest < 0.5
        assert _spooled(gateway) == 0
        kafka.start()
    assert not _account(load, kafka).lost


def test_asynchronous_events_that_are_lost_are_counted(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    nowhere = f"127.0.0.1:{ports.free(1)[0]}"
    with gateway.started(GATEWAY_AUDIT_MODE="async", KAFKA_BOOTSTRAP_SERVERS=nowhere) as process:
        assert gateway.post(b'{"query": ""}').status == 200
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert "1 events are lost" in capfd.readouterr().err


def test_a_producer_that_cannot_go_on_is_replaced_and_what_it_had_is_sent_again(kafka: Broker, tmp_path: Path) -> None:
    producer = EventProducer(kafka.settings, TOPIC)
    trail = AuditTrail(producer, Spool.claim(tmp_path, 1024 * 1024), AuditMode.DURABLE, 0.5)
    events = [event(number) for number in range(3)]
    trail.record(events[0], None)
    kafka.send(signal.SIGSTOP)
    trail.record(events[1], None)
    producer.on_error(KafkaError(KafkaError.INVALID_PRODUCER_EPOCH, "fenced", fatal=True))
    kafka.send(signal.SIGCONT)
    eventually(lambda: trail.spool.records == 0, "the spool is sent")
    trail.record(events[2], None)
    assert {each.event_id for each in events} <= {
        read_event(message.value())["event_id"] for message in kafka.records()
    }
