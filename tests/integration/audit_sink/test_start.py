"""What the sink says and does before it can work."""

import orjson

from tests.support.sink import Start
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


def test_bad_settings_are_one_line_and_exit_status_2(start: Start) -> None:
    sink = start(AUDIT_SINK_BATCH_SIZE="many")
    eventually(lambda: not sink.is_running, "its end")

    assert sink.stop() == 2
    assert sink.log().count("\n") == 1
    assert "AUDIT_SINK_BATCH_SIZE" in sink.log()


def test_sigterm_ends_a_start_cleanly(start: Start) -> None:
    sink = start()
    eventually(lambda: sink.handles_sigterm, "its first line of Python")

    assert sink.stop() == 0
    assert "Traceback" not in sink.log()


def test_its_log_can_be_json_in_the_elastic_common_schema(start: Start) -> None:
    sink = start(AUDIT_SINK_LOG_FORMAT="ecs").wait_until_ready()

    assert sink.stop() == 0
    lines = [orjson.loads(line) for line in sink.log().splitlines()]
    assert lines[-1]["message"] == "stopped"
    for line in lines:
        assert {"@timestamp", "log.level", "message", "ecs.version"} <= set(line)
        assert line["service"]["name"] == "audit_sink"
