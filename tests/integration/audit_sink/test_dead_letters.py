"""What can never be a document becomes a dead letter, and nothing else does."""

import orjson
import pytest
from confluent_kafka.admin import AdminClient

from contracts.query_event.event import encode
from tests.support.faulty_proxy import Reply
from tests.support.sink import (
    TRAILS,
    FaultyElasticsearch,
    Start,
    Trail,
    event,
    refused_by_mapping,
)
from tests.support.waiting import eventually


def test_bytes_that_are_no_event_are_dead_letters_with_their_coordinates(trail: Trail, start: Start) -> None:
    trail.produce(event(number) for number in range(20))
    offset = len(trail.records(trail.topic, 3))
    version_9 = orjson.dumps(orjson.loads(encode(event())) | {"schema_version": 9})
    no_id = orjson.dumps(orjson.loads(encode(event())) | {"event_id": "no id"})
    for value in (b"\xff no json", None, version_9, no_id):
        trail.produce_raw(value, partition=3)
    start()

    eventually(lambda: len(trail.dead_letters()) == 4, "four dead letters")
    eventually(trail.all_indexed, "the good ones as documents")
    eventually(lambda: trail.lag() == 0, "the dead letters' offsets committed")
    letters = trail.dead_letters()
    assert [letter.value() for letter in letters] == [b"\xff no json", None, version_9, no_id]
    found = [dict(letter.headers() or []) for letter in letters]
    assert [each["dead_letter_reason"] for each in found] == [
        b"not_json",
        b"tombstone",
        b"unknown_schema_version",
        b"schema",
    ]
    assert [int(each["dead_letter_offset"] or -1) for each in found] == [offset, offset + 1, offset + 2, offset + 3]
    assert {each["dead_letter_partition"] for each in found} == {b"3"}


@pytest.mark.parametrize("trail", TRAILS, indirect=True)
def test_one_that_cannot_be_read_is_a_dead_letter_and_holds_up_nothing(trail: Trail, start: Start) -> None:
    trail.produce_raw(b"[]", partition=2)
    trail.produce((event(number) for number in range(20)), partition=2)
    start()

    eventually(lambda: len(trail.dead_letters()) == 1, "one dead letter")
    eventually(trail.all_indexed, "the others as documents")
    eventually(lambda: trail.lag() == 0, "everything committed")


def test_a_document_that_the_mapping_refuses_is_a_dead_letter_and_its_batch_is_not(trail: Trail, start: Start) -> None:
    poison = refused_by_mapping(event())
    trail.produce_raw(poison, partition=2)
    trail.produce(event(number) for number in range(200))
    sink = start()

    eventually(trail.all_indexed, "the rest of the batch as documents")
    eventually(lambda: len(trail.dead_letters()) == 1, "one dead letter")
    letter = trail.dead_letters()[0]
    said = dict(letter.headers() or [])
    assert letter.value() == poison
    assert said["dead_letter_reason"] == b"refused_by_mapping"
    assert b"document_parsing_exception" in (said["dead_letter_detail"] or b"")
    assert (said["dead_letter_topic"], said["dead_letter_partition"]) == (trail.topic.encode(), b"2")
    eventually(lambda: trail.lag() == 0, "the offset committed after the dead letter")
    # Elasticsearch's reason quotes the value, which belongs into no log.
    assert b"2026-13-45" in (said["dead_letter_detail"] or b"")
    assert "refused_by_mapping (document_parsing_exception)" in sink.log()
    assert "2026-13-45" not in sink.log()


def test_a_batch_too_large_is_halved_and_a_single_such_event_is_a_dead_letter(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    proxy.fault = lambda body: Reply(413, b"{}") if len(body) > 20_000 else None
    trail.produce([*(event(number) for number in range(200)), event(query="x" * 30_000)])
    start(ELASTICSEARCH_URL=proxy.url)

    eventually(lambda: trail.all_indexed(200), "all that fits as documents")
    eventually(lambda: len(trail.dead_letters()) == 1, "one dead letter")
    assert dict(trail.dead_letters()[0].headers() or [])["dead_letter_reason"] == b"too_large"
    eventually(lambda: trail.lag() == 0, "everything committed")
    trail.assert_account_closes()


def test_without_the_dead_letter_topic_nothing_moves_and_nothing_is_dropped(trail: Trail, start: Start) -> None:
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    admin.delete_topics([trail.dlq_topic])[trail.dlq_topic].result()
    trail.produce_raw(b"no event")
    sink = start()

    eventually(lambda: "refuses dead letters" in sink.log(), "a line that says so")
    assert sink.get("/readyz")[0] == 503
    assert trail.lag() == 1
    trail.create_topics()
    eventually(lambda: trail.lag() == 0, "the dead letter acknowledged")
    assert [letter.value() for letter in trail.dead_letters()] == [b"no event"]


def test_when_everything_is_poison_the_sink_stops_and_says_so(trail: Trail, start: Start) -> None:
    for _ in range(500):
        trail.producer.produce(trail.topic, value=b"no event", partition=0)
    trail.producer.flush()
    sink = start(AUDIT_SINK_LINGER_MS="1000").wait_until_ready()

    eventually(lambda: "would become dead letters" in sink.get("/readyz")[1], "unreadiness that says why")
    assert len(trail.dead_letters()) <= 100
    assert sink.is_running
    assert trail.lag() >= 400
