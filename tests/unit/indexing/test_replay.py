"""Replaying dead letters: each is indexed, is there already, or stays dead and says why."""

from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from confluent_kafka import Message

from elastic.exchange import ElasticsearchExchange
from indexing.batch import DeadLetter
from indexing.dead_letter import MAX_VALUE_BYTES, envelope
from indexing.projection import Place, Unreadable
from indexing.replay import ReplayStopped, Tally, replay
from kit.http_exchange import NoAnswer

_REFUSED = {"type": "document_parsing_exception", "reason": "no such time"}


class _Projection:
    """Makes as many operations of a record as its value says, and names them after the record's place."""

    name = "unit"

    def operations(self, record: Message, place: Place) -> list[bytes]:
        """Make the operations of a record."""
        value = record.value() or b""
        if not value.isdigit():
            raise Unreadable("unreadable", "no number")
        return [b"%d:%d:%d\n" % place] * int(value)

    def unready(self, elasticsearch: ElasticsearchExchange) -> None:
        """Every cluster is ready."""


class _Cluster:  # pylint: disable=too-few-public-methods  # it is asked
    """Answers each operation as the test says, and keeps the bodies."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.status = 201
        self.error: dict[str, str] | None = None
        self.down_after = 1_000

    def ask(self, _method: str, _target: str, *, body: bytes, **_options: Any) -> SimpleNamespace:
        """Take a bulk request."""
        if len(self.bodies) == self.down_after:
            raise NoAnswer("refused")
        self.bodies.append(body)
        item = {"status": self.status, "error": self.error}
        items = [{"create": item}] * body.count(b"\n")
        return SimpleNamespace(status=200, body=orjson.dumps({"errors": True, "items": items}))


def _letter(offset: int, value: bytes) -> Message:
    original = Message(topic="events", partition=3, offset=offset, value=value, timestamp=(2, 1_700))
    sealed = envelope(DeadLetter(original, "refused_by_mapping", "why"))
    return Message(topic="letters", partition=0, offset=offset, value=sealed.value, headers=[*sealed.headers])


def _replay(cluster: _Cluster, *letters: Message) -> Tally:
    tally = Tally()
    for tally in replay(letters, cast(ElasticsearchExchange, cluster), _Projection()):
        pass
    return tally


def test_a_letter_is_indexed_by_the_place_and_time_of_its_original() -> None:
    cluster = _Cluster()
    assert _replay(cluster, _letter(42, b"1")).outcomes == {"indexed": 1}
    assert cluster.bodies == [b"3:42:1700\n"]


def test_a_document_that_is_there_already_is_told_apart() -> None:
    cluster = _Cluster()
    cluster.status = 409
    assert _replay(cluster, _letter(1, b"1")).outcomes == {"documents already": 1}


def test_a_record_without_operations_is_counted_and_sends_nothing() -> None:
    cluster = _Cluster()
    assert _replay(cluster, _letter(1, b"0")).outcomes == {"nothing to index": 1}
    assert not cluster.bodies


def test_letters_that_no_replay_can_index_stay_dead_beside_those_that_it_can() -> None:
    cut = _letter(2, b"1" * (MAX_VALUE_BYTES + 1))
    stranger = Message(topic="letters", partition=0, offset=3, value=b"1")
    tally = _replay(_Cluster(), _letter(1, b"no number"), cut, stranger, _letter(4, b"1"))

    assert tally.outcomes == {"unreadable": 3, "indexed": 1}
    assert [why.partition(":")[0] for why in tally.still_dead] == ["offset 1", "offset 2", "offset 3"]
    assert "only its beginning is kept" in tally.still_dead[1]


def test_a_record_that_is_refused_again_stays_dead_and_its_place_is_told() -> None:
    cluster = _Cluster()
    cluster.status, cluster.error = 400, _REFUSED
    tally = _replay(cluster, _letter(7, b"1"))

    assert tally.outcomes == {"refused again": 1}
    assert tally.still_dead == ["events 3:7: document_parsing_exception: no such time"]


def test_reasons_are_bounded_and_counts_are_not() -> None:
    cluster = _Cluster()
    cluster.status, cluster.error = 400, _REFUSED
    tally = _replay(cluster, *(_letter(number, b"1") for number in range(25)))

    assert tally.outcomes == {"refused again": 25}
    assert len(tally.still_dead) == 10


def test_a_fault_that_is_not_the_documents_stops_the_replay() -> None:
    cluster = _Cluster()
    cluster.status, cluster.error = 403, {"type": "cluster_block_exception", "reason": "read-only"}
    with pytest.raises(ReplayStopped, match="read-only"):
        _replay(cluster, _letter(1, b"1"))


def test_an_elasticsearch_that_goes_down_stops_the_replay_after_what_was_told() -> None:
    cluster = _Cluster()
    cluster.down_after = 2
    letters = (_letter(number, b"1") for number in range(1_000))
    told = replay(letters, cast(ElasticsearchExchange, cluster), _Projection())

    assert [next(told).read, next(told).read] == [200, 400]
    with pytest.raises(ReplayStopped):
        next(told)
    assert b"".join(cluster.bodies).count(b"\n") == 400
