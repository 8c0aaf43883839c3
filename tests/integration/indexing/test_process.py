"""A consumer as a process: it waits for its servers, settles and commits at its end, and loses nothing when killed."""

from functools import partial

import orjson

from tests.support.consumer_process import Start
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually


def test_it_waits_for_what_is_not_up_yet_without_a_flood(start: Start) -> None:
    sink = start(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", ELASTICSEARCH_URL="http://127.0.0.1:1")

    eventually(lambda: "waiting for Elasticsearch" in sink.log(), "a line about Elasticsearch")
    status, body = sink.get("/readyz")
    assert status == 503
    assert set(orjson.loads(body)["dependencies"]) == {"elasticsearch", "kafka"}
    assert sink.get("/healthz")[0] == 200
    assert sink.stop() == 0
    assert len(sink.log().splitlines()) <= 8


def test_sigterm_ends_a_start_cleanly(start: Start) -> None:
    sink = start()
    eventually(lambda: sink.handles_sigterm, "its first line of Python")

    assert sink.stop() == 0
    assert "Traceback" not in sink.log()


def test_an_idle_sink_has_committed_everything(trail: Trail, start: Start) -> None:
    trail.produce(event(number) for number in range(500))
    sink = start()

    eventually(lambda: trail.lag() == 0, "a lag of 0 by the broker's account")
    eventually(lambda: "indexing_lag" in sink.get("/metrics")[1], "lag as a metric")
    eventually(lambda: sink.metric("indexing_lag") == 0, "a lag of 0 by the sink's own account")


def test_sigterm_settles_commits_and_exits_with_0(trail: Trail, start: Start) -> None:
    trail.produce_documents(event(number) for number in range(3_000))
    sink = start(AUDIT_SINK_BATCH_SIZE="100")
    eventually(lambda: trail.all_indexed(1), "the first documents")

    assert sink.stop() == 0
    indexed = len(trail.indexed())
    assert trail.lag() == 3_000 - indexed
    start()
    eventually(trail.all_indexed, "the rest")
    trail.assert_account_closes()


def test_sigkill_again_and_again_loses_and_doubles_nothing(trail: Trail, start: Start) -> None:
    trail.produce(event(number) for number in range(5_000))
    for documents in (1, 2_000):
        sink = start(AUDIT_SINK_BATCH_SIZE="100")
        eventually(partial(trail.all_indexed, documents), f"{documents} documents before the kill")
        sink.kill()
    start()

    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    trail.assert_account_closes()
