"""A consumer's settings, as an operator meets them."""

import orjson

from tests.support.consumer_process import Start
from tests.support.trail import Trail
from tests.support.waiting import eventually


def test_bad_settings_are_one_line_and_exit_status_2(trail: Trail, start: Start) -> None:
    sink = start(AUDIT_SINK_BATCH_SIZE="many")
    eventually(lambda: not sink.is_running, "its end")

    assert sink.stop() == 2
    assert sink.log().count("\n") == 1
    assert f"{trail.prefix}BATCH_SIZE" in sink.log()


def test_its_log_can_be_json_in_the_elastic_common_schema(trail: Trail, start: Start) -> None:
    sink = start(AUDIT_SINK_LOG_FORMAT="ecs").wait_until_ready()

    assert sink.stop() == 0
    lines = [orjson.loads(line) for line in sink.log().splitlines()]
    assert lines[-1]["message"] == "stopped"
    for line in lines:
        assert {"@timestamp", "log.level", "message", "ecs.version"} <= set(line)
        assert line["service"]["name"] == trail.program.package
