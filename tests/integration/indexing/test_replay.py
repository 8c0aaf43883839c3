"""Dead letters are indexed again once their cause is mended, however often, and change nothing that is there."""

import orjson
import pytest

from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from indexing.dead_letter_reader import DeadLetterReader
from indexing.replay import ReplayStopped, Tally, replay
from indexing.replay_marker import mark_replayed
from kit.kafka import KafkaSettings
from tests.support.consumer_process import Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch, operations
from tests.support.faulty_proxy import Reply
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually

_REFUSED = {"status": 400, "error": {"type": "document_parsing_exception", "reason": "a bad mapping"}}


def _refuse(body: bytes) -> Reply:
    items = [{"create": _REFUSED}] * len(operations(body))
    return Reply(200, orjson.dumps({"errors": True, "items": items}))


def _reader(trail: Trail) -> DeadLetterReader:
    return DeadLetterReader(KafkaSettings(bootstrap_servers=trail.bootstrap), trail.dlq_topic, trail.projection.name)


def _replay(trail: Trail, cluster: ElasticsearchExchange) -> Tally:
    [tally] = replay(_reader(trail), cluster, trail.projection)
    return tally


def test_a_replay_indexes_what_is_mended_and_can_be_repeated(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    proxy.fault = _refuse
    trail.produce_documents(event(number) for number in range(20))
    trail.produce_raw(b"no event")
    sink = start(ELASTICSEARCH_URL=proxy.url)
    eventually(lambda: len(trail.dead_letters()) == 21, "everything dead")
    assert sink.stop() == 0

    cluster = ElasticsearchExchange.to(ElasticsearchSettings(url=proxy.url), connections=1)
    assert _replay(trail, cluster).outcomes == {"refused again": 20, "unreadable": 1}
    proxy.fault = lambda body: Reply(0, b"")
    with pytest.raises(ReplayStopped):
        _replay(trail, cluster)
    # A batch too large for one request is halved, as the consumer does.
    proxy.fault = lambda body: Reply(413, b"{}") if len(operations(body)) > 5 else None
    assert _replay(trail, cluster).outcomes == {"indexed": 20, "unreadable": 1}
    before = trail.indexed()
    assert set(before) == trail.ids
    assert _replay(trail, cluster).outcomes == {"documents already": 20, "unreadable": 1}
    assert trail.indexed() == before


def test_a_marker_hides_the_letters_before_it_and_no_letter_after_it(trail: Trail, start: Start) -> None:
    trail.produce_raw(b"one")
    start()
    eventually(lambda: len(trail.dead_letters()) == 1, "a dead letter")
    kafka = KafkaSettings(bootstrap_servers=trail.bootstrap)
    mark_replayed(kafka, trail.dlq_topic, trail.projection.name, _reader(trail).ends)
    assert not list(_reader(trail).unreplayed())

    trail.produce_raw(b"two")
    eventually(lambda: trail.lag() == 0, "another dead letter")
    assert [letter.value() for letter in _reader(trail).unreplayed()] == [b"two"]
    assert [letter.value() for letter in _reader(trail)] == [b"one", b"two"]
