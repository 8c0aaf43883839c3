"""The commands beside `serve`."""

import os
import pty
import subprocess
import sys
from contextlib import ExitStack

import orjson
import pytest

from tests.support.faulty_proxy import Reply
from tests.support.paths import ROOT
from tests.support.process import python, running
from tests.support.sink import (
    FaultyElasticsearch,
    Start,
    Trail,
    event,
    refused_by_mapping,
)
from tests.support.waiting import eventually

_NOWHERE = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


def _refuse(body: bytes) -> Reply:
    refused = {"status": 400, "error": {"type": "document_parsing_exception", "reason": "a bad mapping"}}
    return Reply(200, orjson.dumps({"errors": True, "items": [{"create": refused}] * (body.count(b"\n") // 2)}))


def test_a_replay_indexes_what_is_mended_and_can_be_repeated(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    proxy.fault = _refuse
    trail.produce(event(number) for number in range(20))
    trail.produce_raw(b"no event")
    sink = start(ELASTICSEARCH_URL=proxy.url)
    eventually(lambda: len(trail.dead_letters()) == 21, "everything dead")
    assert sink.stop() == 0

    listed = trail.command("dead-letters", "list").stdout.splitlines()
    assert len(listed) == 21
    assert sum("  refused_by_mapping  document_parsing_exception: a bad mapping" in line for line in listed) == 20
    refused = trail.command("replay", ELASTICSEARCH_URL=proxy.url)
    assert refused.stdout.startswith("21 dead letters read: 20 refused again, 1 unreadable\n"), refused
    assert len(trail.command("dead-letters", "list").stdout.splitlines()) == 21
    down = trail.command("replay", ELASTICSEARCH_URL="http://127.0.0.1:1")
    assert down.returncode == 1
    assert "stopped after 0 of 21" in down.stderr
    # A batch too large for one request is halved, as the sink does.
    proxy.fault = lambda body: Reply(413, b"{}") if body.count(b"\n") > 10 else None
    first = trail.command("replay", ELASTICSEARCH_URL=proxy.url)
    assert first.stdout.startswith("21 dead letters read: 20 indexed, 1 unreadable\n"), first
    assert first.stderr == ""
    before = trail.indexed()
    assert set(before) == trail.ids
    second = trail.command("replay")
    assert second.stdout.startswith("21 dead letters read: 20 documents already, 1 unreadable\n"), second
    assert trail.indexed() == before


def test_replayed_letters_are_listed_and_counted_no_more_unless_all_are_asked_for(trail: Trail, start: Start) -> None:
    trail.produce_raw(b"no event")
    start()
    eventually(lambda: len(trail.dead_letters()) == 1, "a dead letter")
    before = trail.command("dead-letters", "list").stdout
    assert "not_json" in before
    assert "1 unreadable" in trail.command("replay").stdout

    assert trail.command("dead-letters", "list").stdout == ""
    assert trail.command("dead-letters", "list", "--all").stdout == before
    assert f"dead letters in {trail.dlq_topic}: 0\n" in trail.command("status").stdout
    trail.produce_raw(b"none either")
    eventually(lambda: trail.lag() == 0, "another dead letter")
    assert len(trail.command("dead-letters", "list").stdout.splitlines()) == 1
    assert trail.command("replay").stdout.startswith("2 dead letters read")


def test_a_replay_shows_its_progress_on_a_terminal(trail: Trail) -> None:
    terminal, slave = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        result = subprocess.run(
            [sys.executable, "-m", "audit_sink", "replay"],
            cwd=ROOT,
            env=trail.environment | {"TERM": "xterm"},
            stdout=subprocess.PIPE,
            stderr=slave,
            timeout=60,
            check=False,
        )
        shown = screen.read(65_536)
        os.close(slave)

    assert result.stdout == b"0 dead letters read\n"
    assert b"dead letters" in shown
    assert b"0/0" in shown


def test_a_dead_letter_can_be_shown_whole(trail: Trail, start: Start) -> None:
    value = refused_by_mapping(event(query='Hostname = "İstanbul"\x1b[2J'))
    trail.produce_raw(value, partition=4)
    trail.produce_raw(b"\xff\x00", partition=4)
    start()
    eventually(lambda: len(trail.dead_letters()) == 2, "two dead letters")
    json, binary = sorted(trail.dead_letters(), key=lambda letter: letter.value() == b"\xff\x00")

    shown = trail.command("dead-letters", "show", str(json.offset())).stdout
    assert f"original     {trail.topic} 4:0, 20" in shown
    assert "reason       refused_by_mapping\n" in shown
    assert "detail       document_parsing_exception: " in shown
    assert f"value        {len(value)} bytes\n{value.decode()}\n" in shown
    assert "key          raw\n" in shown
    assert trail.command("dead-letters", "show", f"0:{binary.offset()}").stdout.endswith(
        "value        2 bytes\nff 00\n"
    )


def test_headers_and_length_of_a_dead_letter_are_shown_and_bounded(trail: Trail) -> None:
    trail.producer.produce(trail.dlq_topic, value=b"x" * 10_000, headers=[("ce_id", b"\x1b[2J"), ("none", None)])
    trail.producer.flush()

    shown = trail.command("dead-letters", "show", "0").stdout
    assert "reason       not of the sink's making: the record has no header dead_letter_topic\n" in shown
    assert "header       ce_id: \\x1b[2J\nheader       none: none\n" in shown
    assert shown.endswith("x\n… and 1808 bytes more\n")
    assert len(shown) < 9_000
    listed = trail.command("dead-letters", "list").stdout
    assert listed == "0:0  not of the sink's making: the record has no header dead_letter_topic\n"


@pytest.mark.parametrize("position", ["0", "7:0"])
def test_a_dead_letter_that_is_not_there_is_one_line_and_exit_status_1(trail: Trail, position: str) -> None:
    missing = trail.command("dead-letters", "show", position)

    assert missing.returncode == 1
    assert missing.stderr.startswith(f"audit_sink: {trail.dlq_topic} has no record at ")
    assert missing.stderr.count("\n") == 1


def test_an_invalid_position_is_refused_with_exit_status_2(trail: Trail) -> None:
    refused = trail.command("dead-letters", "show", "-1:x")

    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_dead_letters_cannot_be_read_without_their_topic_and_it_says_so(trail: Trail) -> None:
    missing = trail.command("dead-letters", "list", AUDIT_DLQ_TOPIC="nowhere")

    assert missing.returncode == 1
    assert missing.stderr.startswith("audit_sink: Kafka: ")
    assert missing.stderr.endswith(": nowhere\n")


def test_status_tells_lag_pause_oldest_event_and_dead_letters(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    trail.produce_raw(b"no event", partition=1)
    trail.produce_raw(refused_by_mapping(event()), partition=1)
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_BATCH_SIZE="10").wait_until_ready()
    eventually(lambda: trail.lag() == 0, "the dead letters settled")
    proxy.fault = lambda body: Reply(503, b"{}")
    trail.produce(event(number) for number in range(100))
    eventually(lambda: sink.metric("indexing_paused_partitions") == 6, "paused partitions")

    lines = trail.command("status", AUDIT_SINK_METRICS_PORT=str(sink.port)).stdout.splitlines()
    assert lines[0] == f"group {trail.name} on {trail.topic}: 1 member"
    assert lines[1].split() == ["partition", "committed", "end", "lag"]
    assert lines[3].split() == ["1", "2", lines[3].split()[2], str(int(lines[3].split()[2]) - 2)]
    assert lines[8].split() == ["in", "all", "100"]
    assert lines[9].startswith("oldest unsettled event: ")
    assert ", partition " in lines[9]
    assert lines[10].startswith(f"sink at 127.0.0.1:{sink.port}: 6 partitions paused, oldest event in its hands: ")
    assert lines[11].startswith(f"dead letters in {trail.dlq_topic}: 2 (1 ")


def test_status_without_a_sink_says_that_it_cannot_be_reached(trail: Trail) -> None:
    trail.produce([event()])
    result = trail.command("status", AUDIT_SINK_METRICS_PORT="1")

    assert result.returncode == 0
    assert ": 0 members\n" in result.stdout
    assert "oldest unsettled event: " in result.stdout
    assert "sink at 127.0.0.1:1: not reached: nothing listens there (AUDIT_SINK_METRICS_HOST" in result.stdout
    assert f"dead letters in {trail.dlq_topic}: 0\n" in result.stdout


def test_without_kafka_every_command_is_one_line_and_exit_status_1(trail: Trail) -> None:
    commands = [("status",), ("dead-letters", "list"), ("dead-letters", "show", "0"), ("replay",)]
    with ExitStack() as processes:
        side_by_side = [  # each waits a while for an answer
            processes.enter_context(
                running(
                    *python("audit_sink", *command),
                    environment=trail.environment | _NOWHERE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for command in commands
        ]
        for process in side_by_side:
            output, errors = process.communicate(timeout=60)
            assert (process.returncode, output) == (1, "")
            assert errors.splitlines()[-1].startswith("audit_sink: Kafka: ")
            assert "Traceback" not in errors
