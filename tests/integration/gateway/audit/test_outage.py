"""Kafka and the gateway are stopped, frozen and killed under load: for every answer there is an event in the end."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
import psutil
import pytest
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError

from gateway.audit.delivery import EventDelivery
from gateway.audit.producer import KafkaEventProducer
from gateway.audit.settings import AuditMode
from gateway.audit.spool import Spool
from gateway.http.problems import Unavailable
from local import ports
from tests.support.broker import TOPIC, Broker, broker
from tests.support.fatal_error import force_fatal_error
from tests.support.faulty_proxy import in_front_of
from tests.support.full_disk import no_file_beyond
from tests.support.gateway import (
    AUTHORIZATION,
    PATIENCE_SECONDS,
    Backing,
    Gateway,
    configured_gateway,
    gateway_postgresql,
    kill,
)
from tests.support.postgresql import PostgreSQL
from tests.support.query_event import event, read_event
from tests.support.waiting import eventually

CLIENTS = 8
_PAUSE_SECONDS = 0.05


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
    return _gateway(tmp_path, backing, kafka)


def _gateway(home: Path, backing: Backing, kafka: Broker, database: PostgreSQL | None = None, **more: str) -> Gateway:
    variables = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.settings.bootstrap_servers,
        "AUDIT_TOPIC": TOPIC,
        "GATEWAY_AUDIT_TIMEOUT": "0.5",
        # So many that each throttled request has its event.
        "GATEWAY_RECORDED_REFUSALS": "100000000/second",
    }
    return configured_gateway(home, backing, database, **variables | more)


class Answer(NamedTuple):
    """The answer to one of a client's requests."""

    client: int
    number: int
    query_id: str
    status: int
    code: str | None


@dataclass
class Load:
    """Clients that ask one thing after the other as fast as they are answered, each numbering its requests.

    Of four requests two are searches, one a query that is rejected or an index that is denied, and one opens a cursor,
    of which all but the first ten are throttled.

    Attributes:
        answers: every answer of the gateway's, by the X-Request-ID of its request.
        unanswered: the X-Request-IDs of requests that the gateway took, or may have taken, and did not answer, or
            turned away unseen.
        unexpected: the codes of answers that such a request does not get from a gateway that stands on everything.
        slowest: seconds that an answered search took.
    """

    url: str
    padding: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    unexpected: Counter[str | None] = field(default_factory=Counter)
    slowest: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Load the gateway while the block lasts."""
        with ThreadPoolExecutor(CLIENTS) as threads:
            clients = [threads.submit(self._ask_on, client) for client in range(CLIENTS)]
            try:
                yield
            finally:
                self._over.set()
            for client in clients:
                client.result()

    def wait_for(self, answers: int) -> None:
        """Wait until there are so many more answers."""
        wanted = len(self.answers) + answers
        eventually(lambda: len(self.answers) >= wanted, f"{wanted} answers")

    def _ask_on(self, client: int) -> None:
        pool = urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS)
        number = 0
        while not self._over.is_set():
            number += 1
            self._ask(pool, client, number)
            # Without a pause the load would take the processor time that servers need to start again.
            self._over.wait(_PAUSE_SECONDS)
        pool.clear()

    def _ask(self, pool: urllib3.PoolManager, client: int, number: int) -> None:
        query = f"Hostname = client-{client}{self.padding} OR Hostname = {number}"
        body, statuses = [
            ({"query": query}, {200}),
            ({"query": f"{query} OR"}, {400}),
            ({"query": query}, {200}),
            ({"query": "Hostname = octoxlabs*", "cursor": "start"}, {200, 429}),
            ({"query": query}, {200}),
            ({"query": query, "index": "users"}, {403}),
        ][number % 6]
        request_id = str(uuid4())
        headers = AUTHORIZATION | {"X-Request-ID": request_id}
        started = time.monotonic()
        try:
            response = pool.request(
                "POST", f"{self.url}/search", body=orjson.dumps(body | {"size": 1}), headers=headers
            )
        except NewConnectionError:
            return  # no gateway is there
        except HTTPError:
            self.unanswered.add(request_id)
            return
        answer = response.json()
        if "query_id" not in answer:
            # Turned away before anybody looked at who it is.
            assert (response.status, answer["code"]) == (503, "overloaded")
            self.unanswered.add(request_id)
            return
        found = Answer(client, number, answer["query_id"], response.status, answer.get("code"))
        self.answers[request_id] = found
        if found.status not in statuses:
            self.unexpected[found.code] += 1
        if statuses == {200}:
            self.slowest = max(self.slowest, time.monotonic() - started)


@dataclass
class Account:
    """Account of the clients' answers against the topic's events."""

    load: Load
    events: list[dict[str, Any]]

    @property
    def promised(self) -> dict[str, Answer]:
        """The answers that have an event; one that says that it cannot be recorded may have."""
        return {name: answer for name, answer in self.load.answers.items() if answer.code != "audit_unavailable"}

    @property
    def without_their_event(self) -> list[Answer]:
        """Answers to a request that has not the one event that it should have, of that id and status."""
        found: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for each in self.events:
            found[each["metadata"]["request_id"]].add((each["event_id"], each["data"]["status"]))
        return [answer for name, answer in self.promised.items() if found[name] != {(answer.query_id, answer.status)}]

    @property
    def doubled(self) -> int:
        """Records that another one of the same id went before."""
        return len(self.events) - len({each["event_id"] for each in self.events})

    @property
    def begun_and_unanswered(self) -> set[str]:
        """Requests that have an event and no answer."""
        return self.load.unanswered & {each["metadata"]["request_id"] for each in self.events}

    @property
    def is_in_order(self) -> bool:
        """Whether the events of each client are in the order in which it was answered."""
        promised = self.promised
        found = dict.fromkeys(each["metadata"]["request_id"] for each in self.events)
        order = [promised[request_id] for request_id in found if request_id in promised]
        clients = [[answer.number for answer in order if answer.client == each] for each in range(CLIENTS)]
        return all(numbers == sorted(numbers) for numbers in clients)

    def __str__(self) -> str:
        statuses = Counter(answer.status for answer in self.load.answers.values())
        return (
            f"answers {len(self.load.answers)} {dict(sorted(statuses.items()))}, unexpected "
            f"{dict(self.load.unexpected)}, unanswered {len(self.load.unanswered)} (begun "
            f"{len(self.begun_and_unanswered)}), records {len(self.events)}, doubled {self.doubled}, answers without "
            f"their event {len(self.without_their_event)}, slowest search {self.load.slowest:.2f} s"
        )


def _account(load: Load, kafka: Broker) -> Account:
    """Hold every answer against the topic: each has its one event, whatever its status."""
    since = min(answer.query_id for answer in load.answers.values())  # ids sort by time; earlier tests' are passed over
    events = [read_event(message.value()) for message in kafka.records()]
    account = Account(load, [each for each in events if each["event_id"] >= since])
    print(f"\n{account}")
    assert {200, 400, 403, 429} <= {answer.status for answer in load.answers.values()}
    assert not account.without_their_event
    return account


def _spooled(gateway: Gateway) -> int:
    ready = urllib3.request("GET", f"{gateway.url}/readyz", retries=False, timeout=10.0).json()
    return int(ready["spool"]["records"])


def _metrics(gateway: Gateway) -> str:
    return urllib3.request("GET", f"{gateway.url}/metrics", retries=False, timeout=10.0).data.decode()


def _wait_until_sent(gateway: Gateway) -> None:
    eventually(lambda: _spooled(gateway) == 0, "the spool is sent")


def test_kafka_killed_under_load_costs_no_answer_and_no_event(gateway: Gateway, kafka: Broker) -> None:
    load = Load(gateway.url)
    with gateway.started(), load.running():
        load.wait_for(100)
        kafka.kill()
        load.wait_for(300)
        assert _spooled(gateway) > 0
        kafka.start()
        load.wait_for(100)
        _wait_until_sent(gateway)
        load.wait_for(100)
    account = _account(load, kafka)
    assert not load.unexpected
    assert not load.unanswered
    assert account.is_in_order


def test_kafka_frozen_under_load_delays_answers_for_a_moment_and_doubles_nothing(
    gateway: Gateway, kafka: Broker
) -> None:
    load = Load(gateway.url)
    with gateway.started(), load.running():
        load.wait_for(100)
        kafka.freeze()
        load.wait_for(300)
        kafka.thaw()
        load.wait_for(100)
        _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert not load.unexpected
    assert not load.unanswered
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
            kill(process)
        with gateway.started() as process:
            load.wait_for(100)
            kafka.kill()
            load.wait_for(300)
            kill(process)
        with gateway.started() as process:
            load.wait_for(300)
            kill(process)
        kafka.start()
        with gateway.started():
            _wait_until_sent(gateway)
            load.wait_for(100)
    account = _account(load, kafka)
    assert account.is_in_order


def test_events_that_a_killed_worker_left_are_sent_by_the_one_in_its_place(gateway: Gateway, kafka: Broker) -> None:
    kafka.stop()
    load = Load(gateway.url)
    with gateway.started() as process:
        with load.running():
            load.wait_for(100)
            psutil.Process(process.pid).children()[0].kill()
            load.wait_for(100)
        # Of the one that is gone, nothing is counted any more.
        assert f"gateway_spool_records {float(_spooled(gateway))}\n" in _metrics(gateway)
        kafka.start()
        _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert not account.doubled
    assert account.is_in_order


def test_one_of_two_workers_on_postgresql_killed_under_load_costs_no_answered_event(
    tmp_path: Path, backing: Backing, kafka: Broker
) -> None:
    with gateway_postgresql(backing) as server:
        gateway = _gateway(tmp_path, backing, kafka, server, GATEWAY_WORKERS="2")
        load = Load(gateway.url)
        with gateway.started() as process, load.running():
            load.wait_for(100)
            psutil.Process(process.pid).children()[0].kill()
            load.wait_for(100)
            # Again while Kafka does not answer, so that what the dead one had spooled is sent by its successor.
            kafka.freeze()
            load.wait_for(100)
            psutil.Process(process.pid).children()[0].kill()
            load.wait_for(100)
            kafka.thaw()
            eventually(lambda: "\ngateway_spool_records 0.0\n" in _metrics(gateway), "both spools are sent")
            load.wait_for(100)
    _account(load, kafka)
    assert not load.unexpected
    assert len([*(tmp_path / "spool").iterdir()]) == 2


def test_events_that_several_workers_leave_behind_are_sent_by_one_that_starts_later(
    gateway: Gateway, kafka: Broker
) -> None:
    kafka.stop()
    load = Load(gateway.url)
    with gateway.started(GATEWAY_WORKERS="3") as process, load.running():
        load.wait_for(300)
        kill(process)
    kafka.start()
    with gateway.started(GATEWAY_WORKERS="1"):
        _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert not account.doubled


def test_without_kafka_a_full_spool_refuses_and_what_was_answered_is_there_in_the_end(
    gateway: Gateway, kafka: Broker
) -> None:
    kafka.stop()
    load = Load(gateway.url, padding="-" * 3000)
    with gateway.started(GATEWAY_SPOOL_BYTES=str(1024 * 1024)), load.running():
        eventually(lambda: load.unexpected["audit_unavailable"] >= 50, "the spool is full")
        ready = urllib3.request("GET", f"{gateway.url}/readyz", retries=False, timeout=10.0)
        assert ready.json()["dependencies"]["kafka"] == "down"
        kafka.start()
        load.wait_for(100)
        _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert set(load.unexpected) == {"audit_unavailable"}
    assert not load.unanswered
    assert account.is_in_order


def test_answers_that_a_dependency_fails_have_their_events_too(tmp_path: Path, backing: Backing, kafka: Broker) -> None:
    with in_front_of(backing.translator_url) as translator:
        gateway = _gateway(tmp_path, backing, kafka, GATEWAY_TRANSLATOR_URL=translator.url)
        load = Load(gateway.url)
        with gateway.started(), load.running():
            load.wait_for(100)
            kafka.freeze()
            translator.drops = 20
            eventually(lambda: load.unexpected["translator_unavailable"] >= 5, "the translator is missed")
            kafka.thaw()
            _wait_until_sent(gateway)
    account = _account(load, kafka)
    assert set(load.unexpected) == {"translator_unavailable"}
    assert not load.unanswered
    assert not account.doubled
    assert account.is_in_order


@pytest.mark.parametrize("is_away", [False, True])
def test_stopping_under_load_answers_what_has_begun_and_loses_nothing(
    is_away: bool, gateway: Gateway, kafka: Broker
) -> None:
    if is_away:
        kafka.stop()
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
    assert not load.unexpected
    assert not account.begun_and_unanswered
    assert not account.doubled


@pytest.mark.parametrize("mode", AuditMode)
def test_stopping_answers_every_request_that_is_in_work(
    mode: AuditMode, tmp_path: Path, backing: Backing, events: Callable[[], Iterator[dict[str, Any]]]
) -> None:
    with in_front_of(backing.translator_url) as translator:
        variables = {"GATEWAY_TRANSLATOR_URL": translator.url, "GATEWAY_AUDIT_MODE": mode.value}
        stopping = configured_gateway(tmp_path, backing, **variables)
        with stopping.started() as process, ThreadPoolExecutor(CLIENTS) as clients:
            translator.held.clear()
            asked = [clients.submit(stopping.post, b'{"query": ""}') for _ in range(CLIENTS)]
            eventually(lambda: translator.requests == CLIENTS, "all of them in work")
            process.terminate()
            eventually(lambda: not ports.answers(int(stopping.environment["GATEWAY_PORT"])), "no new ones are taken")
            translator.held.set()
            answers = [each.result() for each in asked]
            assert process.wait(PATIENCE_SECONDS) == 0
    assert {answer.status for answer in answers} == {200}
    assert {answer.json()["query_id"] for answer in answers} <= {each["event_id"] for each in events()}


def test_asynchronous_answers_do_not_wait_and_their_events_arrive_when_kafka_does(
    gateway: Gateway, kafka: Broker
) -> None:
    kafka.stop()
    load = Load(gateway.url)
    with gateway.started(GATEWAY_AUDIT_MODE="async"):
        with load.running():
            load.wait_for(100)
        assert load.slowest < 0.5
        assert _spooled(gateway) == 0
        kafka.start()
    _account(load, kafka)


def test_asynchronous_events_that_are_lost_are_counted(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    nowhere = f"127.0.0.1:{ports.free(1)[0]}"
    with gateway.started(GATEWAY_AUDIT_MODE="async", KAFKA_BOOTSTRAP_SERVERS=nowhere) as process:
        assert gateway.post(b'{"query": ""}').status == 200
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert "1 events are lost" in capfd.readouterr().err


def test_a_producer_that_cannot_go_on_is_replaced_and_what_it_had_is_sent_again(kafka: Broker, tmp_path: Path) -> None:
    producer = KafkaEventProducer(kafka.settings, TOPIC)
    trail = EventDelivery(producer, Spool.claim(tmp_path, 1024 * 1024, 1), AuditMode.DURABLE, 0.5).start()
    events = [event(number) for number in range(200)]
    trail.record(events[0], None)
    kafka.freeze()
    trail.record(events[1], None)  # it stays on its way
    force_fatal_error(producer._producer)  # pylint: disable=protected-access
    trail.record(events[2], None)
    kafka.thaw()
    eventually(lambda: trail.spool.records == 0, "the spool is sent")
    with ThreadPoolExecutor(CLIENTS) as clients:
        recorded = [clients.submit(trail.record, each, None) for each in events[3:]]
        force_fatal_error(producer._producer)  # pylint: disable=protected-access
        assert [each.result() for each in recorded] == [None] * len(recorded)
    eventually(lambda: trail.spool.records == 0, "the spool is sent again")
    last = event()
    trail.record(last, None)
    assert trail.spool.records == 0, "the new producer does not take events straight"
    assert {each.event_id for each in [*events, last]} <= {
        read_event(message.value())["event_id"] for message in kafka.records()
    }


def test_a_disk_that_refuses_events_leaves_no_room_until_kafka_takes_them_again(kafka: Broker, tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, 64 * 1024 * 1024, 1)
    trail = EventDelivery(KafkaEventProducer(kafka.settings, TOPIC), spool, AuditMode.DURABLE, 0.5).start()
    kafka.freeze()
    with no_file_beyond(100):
        with pytest.raises(Unavailable):
            trail.record(event(), None)
        assert not trail.has_room
        kafka.thaw()
        eventually(lambda: trail.has_room, "Kafka takes events")
