"""The audit sink's promise, on the real servers: every event becomes one document, whatever happens on the way."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from elasticsearch import Elasticsearch

from audit_sink.event import encode
from audit_sink.kafka import KafkaSettings, TopicSettings
from audit_sink.topics import create_topics
from elastic.bootstrap import bootstrap
from tests.integration.audit_sink_harness import (
    FaultyElasticsearch,
    Reply,
    SinkProcess,
    Trail,
    event,
    eventually,
    refused_by_mapping,
)

Start = Callable[..., SinkProcess]


@pytest.fixture(name="client", scope="module")
def fixture_client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """Elasticsearch, with its index templates."""
    with Elasticsearch(elasticsearch_url, max_retries=0) as client:
        bootstrap(client)
        yield client


@pytest.fixture(name="producer", scope="module")
def fixture_producer(kafka_bootstrap: str) -> Producer:
    """One that stands for the gateway's."""
    return Producer({"bootstrap.servers": kafka_bootstrap, "enable.idempotence": True, "linger.ms": 5})


@pytest.fixture(name="trail")
def fixture_trail(
    kafka_bootstrap: str, elasticsearch_url: str, client: Elasticsearch, producer: Producer
) -> Iterator[Trail]:
    """Topics and indices of the test's own."""
    trail = Trail(kafka_bootstrap, elasticsearch_url, uuid4().hex[:12], client, producer)
    create_topics(
        KafkaSettings(bootstrap_servers=kafka_bootstrap), TopicSettings(topic=trail.topic, dlq_topic=trail.dlq_topic)
    )
    yield trail
    for index in client.indices.get(index=trail.indices):
        client.indices.delete(index=index)


@pytest.fixture(name="proxy")
def fixture_proxy(elasticsearch_url: str) -> Iterator[FaultyElasticsearch]:
    """Elasticsearch, but faulty; without a fault until one is set."""
    proxy = FaultyElasticsearch(elasticsearch_url)
    yield proxy
    proxy.close()


@pytest.fixture(name="start")
def fixture_start(trail: Trail, tmp_path: Path) -> Iterator[Start]:
    """Starts sinks on the trail, with variables of their own; ends those that still run after the test."""
    started: list[SinkProcess] = []

    def start(**variables: str) -> SinkProcess:
        started.append(SinkProcess(trail, tmp_path / "sink.log", **variables))
        return started[-1]

    yield start
    for sink in started:
        if sink.is_running:
            sink.kill()


def test_events_become_documents_of_their_day(trail: Trail, start: Start) -> None:
    first = event(1, query='Hostname = "İstanbul 🐙"')
    trail.produce([first, *(event(number) for number in range(2, 100))])
    start()

    eventually(trail.all_indexed, "every event as a document")
    hit = trail.indexed()[first.event_id]
    source = hit["_source"]
    assert hit["_index"] == trail.index_prefix + first.timestamp.strftime("%Y.%m.%d")
    assert source["user"]["name"] == first.user_id
    assert source["sluice"]["query"] == first.data.query
    kafka = source["sluice"]["kafka"]
    original = trail.records(trail.topic, kafka["partition"])[kafka["offset"]]
    assert original.value() == encode(first)
    trail.assert_account_closes()


def test_the_same_event_twice_is_one_document(trail: Trail, start: Start) -> None:
    events = [event(number) for number in range(50)]
    trail.produce(events)
    trail.produce(events)
    sink = start()

    eventually(lambda: sink.metric("audit_sink_events_duplicate_total") == 50, "50 duplicates counted")
    assert len(trail.indexed()) == 50
    trail.assert_account_closes()


def test_sigterm_settles_commits_and_exits_with_0(trail: Trail, start: Start) -> None:
    trail.produce(event(number) for number in range(3_000))
    sink = start(AUDIT_SINK_BATCH_SIZE="100")
    eventually(lambda: trail.all_indexed(1), "the first documents")

    assert sink.stop() == 0
    indexed = len(trail.indexed())
    assert trail.lag() == 3_000 - indexed
    start()
    eventually(trail.all_indexed, "the rest")
    trail.assert_account_closes()


def test_an_idle_sink_has_committed_everything(trail: Trail, start: Start) -> None:
    trail.produce(event(number) for number in range(500))
    sink = start()

    eventually(lambda: trail.lag() == 0, "a lag of 0 by the broker's account")
    eventually(lambda: "audit_sink_lag" in sink.get("/metrics")[1], "lag as a metric")
    eventually(lambda: sink.metric("audit_sink_lag") == 0, "a lag of 0 by the sink's own account")


def test_sigkill_again_and_again_loses_and_doubles_nothing(trail: Trail, start: Start) -> None:
    trail.produce(event(number) for number in range(5_000))
    for documents in (1, 1_000, 2_000):
        sink = start(AUDIT_SINK_BATCH_SIZE="100")
        eventually(partial(trail.all_indexed, documents), f"{documents} documents before the kill")
        sink.kill()
    start()

    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    trail.assert_account_closes()


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


def test_a_document_that_the_mapping_refuses_is_a_dead_letter_and_its_batch_is_not(trail: Trail, start: Start) -> None:
    poison = refused_by_mapping(event())
    trail.produce_raw(poison, partition=2)
    trail.produce(event(number) for number in range(200))
    start()

    eventually(trail.all_indexed, "the rest of the batch as documents")
    eventually(lambda: len(trail.dead_letters()) == 1, "one dead letter")
    letter = trail.dead_letters()[0]
    said = dict(letter.headers() or [])
    assert letter.value() == poison
    assert said["dead_letter_reason"] == b"refused_by_mapping"
    assert b"document_parsing_exception" in (said["dead_letter_detail"] or b"")
    assert (said["dead_letter_topic"], said["dead_letter_partition"]) == (trail.topic.encode(), b"2")
    eventually(lambda: trail.lag() == 0, "the offset committed after the dead letter")


def test_elasticsearch_down_pauses_and_nothing_is_lost_when_it_returns(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    proxy.fault = lambda body: (0, b"")
    trail.produce(event(number) for number in range(1_000))

    eventually(lambda: sink.metric("audit_sink_paused_partitions") == 6, "paused partitions")
    assert sink.get("/readyz")[0] == 503
    assert not trail.indexed()
    proxy.fault = None
    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: sink.get("/readyz")[0] == 200, "readiness")
    assert sink.log().count("nothing is indexed") == 1
    assert "revoked" not in sink.log()
    trail.assert_account_closes()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_passing_error_is_tried_again(trail: Trail, start: Start, proxy: FaultyElasticsearch, status: int) -> None:
    proxy.fault = lambda body: (status, b"{}") if len(proxy.bodies) <= 3 else None
    trail.produce(event(number) for number in range(100))
    sink = start(ELASTICSEARCH_URL=proxy.url)

    eventually(trail.all_indexed, "every event as a document")
    assert sink.metric("audit_sink_bulk_retries_total") >= 3
    assert proxy.bodies[0] == proxy.bodies[1]
    trail.assert_account_closes()


@pytest.mark.parametrize(
    "answered",
    [(0, b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"items": ['), (200, b'{"items": []}'), (200, b"<")],
)
def test_an_answer_that_cannot_be_used_is_the_whole_batch_again(
    trail: Trail, start: Start, proxy: FaultyElasticsearch, answered: Reply
) -> None:
    # Elasticsearch has indexed the batch, and only its answer is spoilt.
    proxy.after = lambda body, reply: answered if len(proxy.bodies) <= 2 else reply
    trail.produce(event(number) for number in range(100))
    sink = start(ELASTICSEARCH_URL=proxy.url)

    eventually(lambda: trail.lag() == 0, "everything committed")
    assert sink.metric("audit_sink_events_duplicate_total") > 0
    trail.assert_account_closes()


def test_of_a_batch_only_the_throttled_items_are_tried_again(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    def throttle(body: bytes) -> Reply | None:
        if len(proxy.bodies) > 1:
            return None
        rejected = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}
        return 200, orjson.dumps({"errors": True, "items": [{"create": rejected}] * (body.count(b"\n") // 2)})

    proxy.fault = throttle
    trail.produce(event(number) for number in range(100))
    sink = start(ELASTICSEARCH_URL=proxy.url)

    eventually(trail.all_indexed, "every event as a document")
    assert sink.get("/readyz")[0] == 200
    assert not trail.dead_letters()
    trail.assert_account_closes()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_stalls_and_condemns_nothing(
    trail: Trail, start: Start, proxy: FaultyElasticsearch, status: int
) -> None:
    proxy.fault = lambda body: (status, b'{"error": {"type": "security_exception"}}')
    trail.produce(event(number) for number in range(100))
    sink = start(ELASTICSEARCH_URL=proxy.url)

    eventually(lambda: sink.metric("audit_sink_bulk_retries_total") >= 3, "three tries")
    status_code, body = sink.get("/readyz")
    assert status_code == 503
    assert "security_exception" in body
    assert sink.log().count("security_exception") == 1
    assert not trail.dead_letters()
    proxy.fault = None
    eventually(trail.all_indexed, "every event as a document")
    trail.assert_account_closes()


def test_a_blocked_index_stalls_until_it_is_unblocked(trail: Trail, start: Start) -> None:
    index = trail.index_prefix + datetime.now(UTC).strftime("%Y.%m.%d")
    trail.client.indices.create(index=index)
    trail.client.indices.put_settings(index=index, settings={"index.blocks.write": True})
    now = datetime.now(UTC)
    trail.produce(event(number, timestamp=now) for number in range(100))
    sink = start()

    eventually(lambda: "cluster_block_exception" in sink.get("/readyz")[1], "unreadiness that names the block")
    assert not trail.dead_letters()
    trail.client.indices.put_settings(index=index, settings={"index.blocks.write": False})
    eventually(trail.all_indexed, "every event as a document")
    trail.assert_account_closes()


def test_a_batch_too_large_is_halved_and_a_single_such_event_is_a_dead_letter(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    proxy.fault = lambda body: (413, b"{}") if len(body) > 20_000 else None
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
    create_topics(
        KafkaSettings(bootstrap_servers=trail.bootstrap), TopicSettings(topic=trail.topic, dlq_topic=trail.dlq_topic)
    )
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


def test_members_come_and_go_under_load(trail: Trail, start: Start) -> None:
    first = start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    second = start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    second.kill()
    trail.produce(event(number) for number in range(2_000))
    start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    trail.produce(event(number) for number in range(2_000))
    assert first.stop() == 0

    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    trail.assert_account_closes()


def test_a_gap_left_by_retention_is_told_and_crossed(trail: Trail, start: Start) -> None:
    trail.produce_raw(encode(event()), partition=0)
    sink = start()
    eventually(lambda: trail.lag() == 0, "everything committed")
    assert sink.stop() == 0
    for _ in range(10):
        trail.produce_raw(encode(event()), partition=0)
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    for future in admin.delete_records([TopicPartition(trail.topic, 0, 5)]).values():
        future.result()
    sink = start()

    eventually(lambda: trail.lag() == 0, "everything committed")
    assert "partition 0: offsets 1 to 4 (4 at most) are gone unread" in sink.log()
    assert len(trail.indexed()) == 7


@pytest.mark.parametrize("is_running", [False, True], ids=["stopped", "running"])
def test_a_topic_made_again_is_read_from_its_beginning(trail: Trail, start: Start, is_running: bool) -> None:
    for _ in range(5):
        trail.produce_raw(encode(event()), partition=0)
    sink = start()
    eventually(lambda: trail.lag() == 0, "everything committed")
    if not is_running:
        assert sink.stop() == 0
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    admin.delete_topics([trail.topic])[trail.topic].result()
    eventually(lambda: trail.topic not in admin.list_topics(timeout=10).topics, "the topic gone")
    create_topics(
        KafkaSettings(bootstrap_servers=trail.bootstrap), TopicSettings(topic=trail.topic, dlq_topic=trail.dlq_topic)
    )
    fresh = Producer({"bootstrap.servers": trail.bootstrap})
    for number in range(8):
        fresh.produce(trail.topic, value=encode(event(number)), partition=0)
    fresh.flush()
    if not is_running:
        sink = start()

    eventually(lambda: len(trail.indexed()) == 13, f"the old documents and all the new ones; log:\n{sink.log()}")


def test_an_absurd_clock_makes_no_index_of_its_own(trail: Trail, start: Start) -> None:
    today = datetime.now(UTC)
    yesterday = today - timedelta(days=1)
    trail.produce([event(1, yesterday), event(2, today), event(3, datetime(1980, 1, 1, tzinfo=UTC))])
    trail.produce([event(4, datetime(2999, 1, 1, tzinfo=UTC))])
    start()

    eventually(trail.all_indexed, "every event as a document")
    days = {(today + timedelta(days=days)).strftime("%Y.%m.%d") for days in (-1, 0, 1)}
    assert {hit["_index"].removeprefix(trail.index_prefix) for hit in trail.indexed().values()} <= days


def test_it_waits_for_what_is_not_up_yet_without_a_flood(start: Start) -> None:
    sink = start(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", ELASTICSEARCH_URL="http://127.0.0.1:1")

    eventually(lambda: "waiting for Elasticsearch" in sink.log(), "a line about Elasticsearch")
    status, body = sink.get("/readyz")
    assert status == 503
    assert set(orjson.loads(body)["dependencies"]) == {"elasticsearch", "kafka"}
    assert sink.get("/healthz")[0] == 200
    assert sink.stop() == 0
    assert len(sink.log().splitlines()) <= 8


def test_bad_settings_are_one_line_and_exit_status_2(start: Start) -> None:
    sink = start(AUDIT_SINK_BATCH_SIZE="many")
    eventually(lambda: not sink.is_running, "its end")

    assert sink.stop() == 2
    assert sink.log().count("\n") == 1
    assert "AUDIT_SINK_BATCH_SIZE" in sink.log()


def test_a_replay_indexes_what_is_mended_and_can_be_repeated(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    def refuse(body: bytes) -> Reply:
        refused = {"status": 400, "error": {"type": "document_parsing_exception", "reason": "a bad mapping"}}
        return 200, orjson.dumps({"errors": True, "items": [{"create": refused}] * (body.count(b"\n") // 2)})

    proxy.fault = refuse
    trail.produce(event(number) for number in range(20))
    trail.produce_raw(b"no event")
    sink = start(ELASTICSEARCH_URL=proxy.url)
    eventually(lambda: len(trail.dead_letters()) == 21, "everything dead")
    assert sink.stop() == 0

    listed = trail.command("dead-letters").stdout.splitlines()
    assert len(listed) == 21
    assert sum("refused_by_mapping document_parsing_exception: a bad mapping" in line for line in listed) == 20
    down = trail.command("replay", ELASTICSEARCH_URL="http://127.0.0.1:1")
    assert down.returncode == 1
    assert "stopped after 0 of 21" in down.stderr
    first = trail.command("replay")
    assert first.stdout.startswith("21 dead letters read: 20 indexed, 1 no event\n"), first
    before = trail.indexed()
    assert set(before) == trail.ids
    second = trail.command("replay")
    assert second.stdout.startswith("21 dead letters read: 20 documents already, 1 no event\n"), second
    assert trail.indexed() == before


def test_dead_letters_cannot_be_read_without_their_topic_and_it_says_so(trail: Trail) -> None:
    missing = trail.command("dead-letters", AUDIT_DLQ_TOPIC="nowhere")

    assert missing.returncode == 1
    assert missing.stderr.startswith("audit_sink: Kafka: ")
