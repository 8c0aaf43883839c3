"""Whatever Elasticsearch does, every event becomes one document once it is well again."""

from datetime import UTC, datetime

import orjson
import pytest

from tests.support.faulty_proxy import Reply
from tests.support.sink import TRAILS, FaultyElasticsearch, Start, Trail, event
from tests.support.waiting import eventually


@pytest.mark.parametrize("trail", TRAILS, indirect=True)
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


@pytest.mark.parametrize(
    ("trail", "status"),
    [*(("audit", status) for status in (500, 502, 503, 504, 429)), ("tiny", 429)],
    indirect=["trail"],
)
def test_a_passing_error_is_tried_again(trail: Trail, start: Start, proxy: FaultyElasticsearch, status: int) -> None:
    proxy.fault = lambda body: Reply(status, b"{}") if len(proxy.bodies) <= 3 else None
    trail.produce(event(number) for number in range(100))
    sink = start(ELASTICSEARCH_URL=proxy.url)

    eventually(trail.all_indexed, "every event as a document")
    assert sink.metric("indexing_bulk_retries_total") >= 3
    assert proxy.bodies[0] == proxy.bodies[1]
    trail.assert_account_closes()


@pytest.mark.parametrize(
    "answered",
    [
        Reply(0, b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"items": ['),
        Reply(200, b'{"items": []}'),
        Reply(200, b"<"),
    ],
)
def test_an_answer_that_cannot_be_used_is_the_whole_batch_again(
    trail: Trail, start: Start, proxy: FaultyElasticsearch, answered: Reply
) -> None:
    # Elasticsearch has indexed the batch, and only its answer is spoilt.
    proxy.after = lambda body, reply: answered if len(proxy.bodies) <= 2 else reply
    trail.produce(event(number) for number in range(100))
    sink = start(ELASTICSEARCH_URL=proxy.url)

    eventually(lambda: trail.lag() == 0, "everything committed")
    assert sink.metric("indexing_operations_duplicate_total") > 0
    trail.assert_account_closes()


def test_of_a_batch_only_the_throttled_items_are_tried_again(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    def throttle(body: bytes) -> Reply | None:
        if len(proxy.bodies) > 1:
            return None
        rejected = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}
        return Reply(200, orjson.dumps({"errors": True, "items": [{"create": rejected}] * (body.count(b"\n") // 2)}))

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
    proxy.fault = lambda body: Reply(status, b'{"error": {"type": "security_exception"}}')
    trail.produce(event(number) for number in range(100))
    sink = start(ELASTICSEARCH_URL=proxy.url)

    eventually(lambda: sink.metric("indexing_bulk_retries_total") >= 3, "three tries")
    status_code, body = sink.get("/readyz")
    assert status_code == 503
    assert "security_exception" in body
    assert sink.log().count("security_exception") == 1
    assert not trail.dead_letters()
    proxy.fault = None
    eventually(trail.all_indexed, "every event as a document")
    trail.assert_account_closes()


# Flood stage, as Elasticsearch sets it where a disk is nearly full, is the first.
@pytest.mark.parametrize("block", ["read_only_allow_delete", "read_only", "write"])
def test_a_blocked_index_stalls_until_it_is_unblocked(trail: Trail, start: Start, block: str) -> None:
    now = datetime.now(UTC)
    index = trail.index_prefix + now.strftime("%Y.%m.%d")
    trail.client.indices.create(index=index)
    trail.client.indices.put_settings(index=index, settings={f"index.blocks.{block}": True})
    trail.produce(event(number, timestamp=now) for number in range(100))
    sink = start()

    eventually(lambda: "cluster_block_exception" in sink.get("/readyz")[1], "unreadiness that names the block")
    assert not trail.dead_letters()
    assert trail.lag() == 100
    trail.client.indices.put_settings(index=index, settings={f"index.blocks.{block}": None})
    eventually(trail.all_indexed, "every event as a document")
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
    trail.produce([blocked])
    sink = start(ELASTICSEARCH_URL=proxy.url)
    eventually(lambda: "HTTP 403" in sink.log(), "a line that says why")
    trail.produce(event(number) for number in range(2, 40))
    eventually(lambda: trail.all_indexed(38), "the others as documents")

    assert sink.get("/readyz")[0] == 503
    assert "takes events again" not in sink.log()
    proxy.fault = None
    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: sink.get("/readyz")[0] == 200, "readiness")
    trail.assert_account_closes()
