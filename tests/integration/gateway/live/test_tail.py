"""The tail of the audit trail: its account, its filter, pauses, and where it goes on."""

import time
from contextlib import suppress
from typing import Any

import orjson
from confluent_kafka import Producer

from contracts.query_event.event import new_event_id
from tests.integration.gateway.live.conftest import AUDITOR, Stack
from tests.support import topic
from tests.support.live import TAIL, Socket
from tests.support.query_event import EXAMPLES
from tests.support.waiting import eventually

_EXAMPLE: dict[str, Any] = orjson.loads(
    next(path for path in EXAMPLES if path.name == "query.executed.json").read_bytes()
)


def _produce(stack: Stack, amount: int, user: str = "load", rate: int = 100_000) -> None:
    producer = Producer({"bootstrap.servers": stack.gateway.environment["KAFKA_BOOTSTRAP_SERVERS"], "linger.ms": 5})
    begun = time.monotonic()
    for number in range(amount):
        event = _EXAMPLE | {"event_id": new_event_id(), "user_id": user}
        producer.produce(stack.audit, orjson.dumps(event), key=f"{user}{number % 50}")
        producer.poll(0)
        if number % 50 == 49:
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
    assert producer.flush(30) == 0


class _Reader:  # pylint: disable=too-many-instance-attributes  # an account
    """Reads a tail, and keeps its account as a client does."""

    def __init__(self, socket: Socket, **wanted: Any) -> None:
        self.socket = socket
        self.shown: list[dict[str, Any]] = []
        self.filtered = self.left_out = self.unacknowledged = 0
        self._acknowledged = 0.0
        socket.expect("hello")
        socket.send("tail", **wanted)
        opened = socket.expect("tail")
        assert opened["opened"]
        self.begin = {**opened["at"], **{str(key): offset for key, offset in wanted.get("from", {}).items()}}
        self.take(opened)

    @property
    def produced(self) -> int:
        """By offsets."""
        return sum(offset - self.begin.get(partition, 0) for partition, offset in self.at.items())

    @property
    def accounted(self) -> int:
        """By what the frames said."""
        return len(self.shown) + self.filtered + self.left_out

    def read(self) -> None:
        """Take a frame, and acknowledge what came so far where none comes."""
        while True:
            try:
                frame = self.socket.read(within=0.25)
            except TimeoutError:
                self._acknowledge()
                continue
            assert frame["type"] == "tail", frame
            self.take(frame)
            return

    def take(self, frame: dict[str, Any]) -> None:
        """Add a frame to the account."""
        self.at = frame["at"]
        self.shown += frame["events"]
        self.filtered += frame["filtered"]
        self.left_out += frame["left_out"]
        self.unacknowledged += 1
        # As the client does: receipts together, as ten frames a second are taken.
        if time.monotonic() - self._acknowledged > 0.2:
            self._acknowledge()

    def _acknowledge(self) -> None:
        if self.unacknowledged:
            self.socket.send("more", frames=self.unacknowledged)
            self._acknowledged, self.unacknowledged = time.monotonic(), 0


def test_the_account_closes_at_a_thousand_events_a_second(stack: Stack) -> None:
    with stack.socket(TAIL, AUDITOR) as socket:
        reader = _Reader(socket, filter={"user": "load"})
        _produce(stack, 5_000, rate=1_000)
        _produce(stack, 500, user="somebody")
        while reader.filtered < 500 or len(reader.shown) + reader.left_out < 5_000:
            reader.read()
        assert reader.accounted == reader.produced
        assert reader.left_out == 0
        offsets = {(event["partition"], event["offset"]) for event in reader.shown}
        assert len(offsets) == len(reader.shown) == 5_000
        assert {event["user"] for event in reader.shown} == {"load"}


def test_an_opened_tail_is_on_the_trail_before_anything_is_shown(stack: Stack) -> None:
    with stack.socket(TAIL, AUDITOR) as socket:
        _Reader(socket, filter={"user": 'o"x', "event_type": "query.executed", "text": "Linux"})
        records = topic.records(stack.gateway.environment["KAFKA_BOOTSTRAP_SERVERS"], stack.audit, range(6))
        # Another test puts records there that are no events.
        events = [orjson.loads(value) for record in records if b"Linux" in (value := record.value() or b"")]
        [event] = [each for each in events if each["user_id"] == AUDITOR]
        assert event["data"]["query"] == (
            'user.name = "o\\"x" AND event.action = "query.executed" AND sluice.query ~ "Linux"'
        )
        assert (event["event_type"], event["data"]["index"]) == ("query.executed", "query-logs-*")


def test_a_tail_goes_on_by_offsets_after_the_process_was_killed(stack: Stack) -> None:
    with stack.socket(TAIL, AUDITOR) as socket:
        reader = _Reader(socket)
        _produce(stack, 100)
        while len(reader.shown) < 100:
            reader.read()
        at = reader.at
    stack.live.kill()
    _produce(stack, 200, user="meanwhile")
    stack.live.start()
    stack.live.wait_until_ready()
    with eventually(lambda: _open_once_it_reads(stack, at), "the trail is read") as reader:
        shown = reader.shown
        while sum(event.get("user") == "meanwhile" for event in shown) < 200:
            reader.read()
        assert reader.accounted == reader.produced
        assert reader.left_out == 0


def test_what_is_older_than_the_ring_is_left_out_and_counted(stack: Stack) -> None:
    records = topic.records(stack.gateway.environment["KAFKA_BOOTSTRAP_SERVERS"], stack.audit, range(6))
    _produce(stack, 8_000)
    with eventually(lambda: _open_once_it_reads(stack, dict.fromkeys(range(6), 0)), "the trail is read") as reader:
        while reader.accounted < len(records) + 8_000:
            reader.read()
        assert reader.accounted == reader.produced


def _open_once_it_reads(stack: Stack, at: dict[Any, int]) -> Any:
    """A tail from offsets, once the process has begun to read the trail."""
    socket = stack.socket(TAIL, AUDITOR)
    try:
        reader = _Reader(socket, **{"from": at})
    except AssertionError:
        socket.connection.close()
        return None
    return _Closing(reader, socket)


class _Closing:
    def __init__(self, reader: _Reader, socket: Socket) -> None:
        self._reader, self._socket = reader, socket

    def __enter__(self) -> _Reader:
        return self._reader

    def __exit__(self, *_: object) -> None:
        self._socket.connection.close()


def test_a_paused_tail_gets_at_most_what_was_under_way_and_goes_on(stack: Stack) -> None:
    with stack.socket(TAIL, AUDITOR) as socket:
        reader = _Reader(socket, filter={"user": "paused"})
        socket.send("more", frames=0)
        _produce(stack, 300, user="paused")
        under_way = _until_quiet(socket)
        assert len(under_way) <= 4
        _produce(stack, 300, user="paused")
        assert not _until_quiet(socket)
        for frame in under_way:
            reader.take(frame)
        assert len(reader.shown) + reader.left_out < 600
        socket.send("more", frames=4)
        while len(reader.shown) + reader.left_out < 600:
            reader.read()
        assert reader.accounted == reader.produced


def _until_quiet(socket: Socket) -> list[dict[str, Any]]:
    """The frames that come before none has come for two seconds, of which none is acknowledged."""
    frames: list[dict[str, Any]] = []
    with suppress(TimeoutError):
        while True:
            frames.append(socket.read(within=2))
    return frames


def test_a_tail_that_acknowledges_nothing_has_four_frames_under_way(stack: Stack) -> None:
    with stack.socket(TAIL, AUDITOR) as socket:
        socket.expect("hello")
        socket.send("tail")
        frames = [socket.expect("tail")]
        _produce(stack, 3_000)
        before = stack.live.metric('gateway_live_tail_events_total{fate="shown"}')
        while len(frames) < 4:
            frames.append(socket.expect("tail"))
        # As much as is produced, nothing comes.
        _produce(stack, 500)
        eventually(lambda: stack.live.metric('gateway_live_sockets{kind="tail"}') == 1, "one tail is open")
        try:
            late = socket.read(within=2)
        except TimeoutError:
            late = None
        assert late is None
        assert stack.live.metric('gateway_live_tail_events_total{fate="shown"}') >= before


def test_a_record_that_is_no_event_is_shown_as_what_it_is(stack: Stack) -> None:
    with stack.socket(TAIL, AUDITOR) as socket:
        reader = _Reader(socket)
        producer = Producer({"bootstrap.servers": stack.gateway.environment["KAFKA_BOOTSTRAP_SERVERS"]})
        producer.produce(stack.audit, b"no event", key="x")
        assert producer.flush(30) == 0
        while not any("invalid" in event for event in reader.shown):
            reader.read()
        assert reader.accounted == reader.produced
