"""Whatever Elasticsearch does, every event becomes one document once it is well again."""

from datetime import UTC, datetime

import orjson

from tests.support.consumer_process import ConsumerProcess, Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch, operations
from tests.support.faulty_proxy import Reply
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually


def test_elasticsearch_down_pauses_and_nothing_is_lost_when_it_returns(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    proxy.fault = lambda body: Reply(0, b"")
    trail.produce(event(number) for number in range(1_000))

    eventually(lambda: sink.metric("indexing_paused_partitions") == 6, "paused partitions")
    assert sink.get("/readyz")[0] == 503
    assert not trail.indexed()
    proxy.fault = None
    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: sink.get("/readyz")[0] == 200, "readiness")
    assert sink.log().count("a batch is not indexed") == 1
    assert "revoked" not in sink.log()
    trail.assert_account_closes()


def test_passing_errors_are_tried_again_one_after_the_other(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    errors = [500, 502, 503, 504, 429]
    replies = [Reply(status, b"{}") for status in errors]
    proxy.fault = lambda body: replies.pop(0) if replies else None
    trail.produce((event(number) for number in range(100)), partition=0)
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_LINGER_MS="1000")

    eventually(trail.all_indexed, "every event as a document")
    assert sink.metric("indexing_bulk_retries_total") == len(errors)
    assert proxy.bodies == [proxy.bodies[0]] * (len(errors) + 1)
    trail.assert_account_closes()


def test_an_answer_that_cannot_be_used_is_the_whole_batch_again(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    # Elasticsearch has indexed the batch each time, and only its answer is spoilt.
    answers = [
        Reply(0, b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"items": ['),
        Reply(200, b'{"items": []}'),
        Reply(200, b"<"),
    ]
    unusable = len(answers)
    proxy.after = lambda body, reply: answers.pop(0) if answers else reply
    trail.produce((event(number) for number in range(100)), partition=0)
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_LINGER_MS="1000")

    eventually(lambda: trail.lag() == 0, "everything committed")
    assert proxy.bodies == [proxy.bodies[0]] * (unusable + 1)
    assert sink.metric("indexing_operations_duplicate_total") > 0
    trail.assert_account_closes()


def test_of_a_batch_only_the_throttled_items_are_tried_again(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    rejected = {"create": {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}}

    def reject_every_second(_body: bytes, reply: Reply) -> Reply:
        if len(proxy.bodies) > 1:
            return reply
        items = orjson.loads(reply.content)["items"]
        items[1::2] = [rejected] * len(items[1::2])
        return Reply(200, orjson.dumps({"errors": True, "items": items}))

    proxy.after = reject_every_second
    trail.produce((event(number) for number in range(100)), partition=0)
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_LINGER_MS="1000")

    eventually(lambda: trail.lag() == 0, "everything committed")
    assert [operations(body) for body in proxy.bodies[1:]] == [operations(proxy.bodies[0])[1::2]]
    assert sink.get("/readyz")[0] == 200
    assert not trail.dead_letters()
    trail.assert_account_closes()


def test_a_refused_credential_stalls_and_condemns_nothing(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    sink = start(ELASTICSEARCH_URL=proxy.url).wait_until_ready()
    for status in (401, 403):
        _assert_it_stalls_until_it_may_write_again(trail, sink, proxy, status)
    assert not trail.dead_letters()
    trail.assert_account_closes()


def _assert_it_stalls_until_it_may_write_again(
    trail: Trail, sink: ConsumerProcess, proxy: FaultyElasticsearch, status: int
) -> None:
    tries, told = sink.metric("indexing_bulk_retries_total"), sink.log().count("security_exception")
    proxy.fault = lambda body: Reply(status, b'{"error": {"type": "security_exception"}}')
    trail.produce(event(number) for number in range(100))

    eventually(lambda: sink.metric("indexing_bulk_retries_total") >= tries + 3, "three tries")
    status_code, body = sink.get("/readyz")
    assert status_code == 503
    assert f"HTTP {status}, security_exception" in body
    assert sink.log().count("security_exception") == told + 1
    proxy.fault = None
    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: sink.get("/readyz")[0] == 200, "readiness")


def test_a_blocked_index_stalls_until_it_is_unblocked(trail: Trail, start: Start) -> None:
    now = datetime.now(UTC)
    index = trail.index(now)
    trail.client.indices.create(index=index)
    sink = start().wait_until_ready()
    # Flood stage, as Elasticsearch sets it where a disk is nearly full, is the first.
    for block in ("read_only_allow_delete", "read_only", "write"):
        trail.client.indices.put_settings(index=index, settings={f"index.blocks.{block}": True})
        trail.produce_documents(event(number, timestamp=now) for number in range(100))

        eventually(lambda: "cluster_block_exception" in sink.get("/readyz")[1], "unreadiness that names the block")
        assert trail.lag() == 100
        trail.client.indices.put_settings(index=index, settings={f"index.blocks.{block}": None})
        eventually(trail.all_indexed, "every event as a document")
        eventually(lambda: trail.lag() == 0 and sink.get("/readyz")[0] == 200, "readiness")
    assert not trail.dead_letters()
    trail.assert_account_closes()


def test_sigterm_while_elasticsearch_is_down_ends_cleanly_and_leaves_the_group(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    proxy.fault = lambda body: Reply(503, b"{}")
    trail.produce(event(number) for number in range(50))
    sink = start(ELASTICSEARCH_URL=proxy.url)
    eventually(lambda: bool(proxy.bodies), "a bulk request")

    assert sink.stop() == 0
    assert "ending at once" not in sink.log()
    proxy.fault = None
    start(ELASTICSEARCH_URL=proxy.url)
    eventually(trail.all_indexed, "every event as a document")
    trail.assert_account_closes()


def test_it_is_ready_again_only_once_no_batch_waits(trail: Trail, start: Start, proxy: FaultyElasticsearch) -> None:
    blocked = event(1)
    proxy.fault = lambda body: Reply(403, b"{}") if blocked.event_id.encode() in body else None
    trail.produce_documents([blocked])
    sink = start(ELASTICSEARCH_URL=proxy.url)
    eventually(lambda: "HTTP 403" in sink.log(), "a line that says why")
    trail.produce_documents(event(number) for number in range(2, 40))
    eventually(lambda: trail.all_indexed(38), "the others as documents")

    assert sink.get("/readyz")[0] == 503
    assert "takes records again" not in sink.log()
    proxy.fault = None
    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: sink.get("/readyz")[0] == 200, "readiness")
    assert "takes records again" in sink.log()
    trail.assert_account_closes()
