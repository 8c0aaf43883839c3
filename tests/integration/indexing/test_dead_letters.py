"""A record that can never be a document becomes a dead letter, and no other does."""

from confluent_kafka.admin import AdminClient

from tests.support.consumer_process import Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.faulty_proxy import Reply
from tests.support.query_event import event
from tests.support.trail import REFUSED_VALUE, Trail
from tests.support.waiting import eventually


def test_unreadable_records_are_dead_letters_with_their_coordinates_and_hold_up_nothing(
    trail: Trail, start: Start
) -> None:
    trail.produce((event(number) for number in range(20)), partition=3)
    offset = len(trail.records(trail.topic, 3))
    unreadable = [b"\xff no json", None, b"[]"]
    for value in unreadable:
        trail.produce_raw(value, partition=3)
    trail.produce((event(number) for number in range(20)), partition=3)
    start()

    eventually(lambda: len(trail.dead_letters()) == 3, "three dead letters")
    eventually(trail.all_indexed, "the others as documents")
    eventually(lambda: trail.lag() == 0, "everything committed")
    letters = trail.dead_letters()
    assert [letter.value() for letter in letters] == unreadable
    found = [dict(letter.headers() or []) for letter in letters]
    assert [int(each["dead_letter_offset"] or -1) for each in found] == [offset, offset + 1, offset + 2]
    assert {each["dead_letter_partition"] for each in found} == {b"3"}
    assert {each["dead_letter_topic"] for each in found} == {trail.topic.encode()}


def test_a_document_that_the_mapping_refuses_is_a_dead_letter_and_its_batch_is_not(trail: Trail, start: Start) -> None:
    poison = trail.refused_by_mapping(event())
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
    assert REFUSED_VALUE.encode() in (said["dead_letter_detail"] or b"")
    assert "refused_by_mapping (document_parsing_exception)" in sink.log()
    assert REFUSED_VALUE not in sink.log()


def test_a_batch_too_large_is_halved_and_a_single_such_event_is_a_dead_letter(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    proxy.fault = lambda body: Reply(413, b"{}") if len(body) > 20_000 else None
    trail.produce_documents([*(event(number) for number in range(200)), event(query="x" * 30_000)])
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
