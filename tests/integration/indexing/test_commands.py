"""The commands beside `serve` that every consumer has."""

import subprocess
from contextlib import ExitStack

import pytest

from tests.support.consumer_process import Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.faulty_proxy import Reply
from tests.support.process import python, running
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually

_NOWHERE = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}


def test_a_dead_letter_can_be_shown_whole(trail: Trail, start: Start) -> None:
    value = trail.refused_by_mapping(event(query='Hostname = "İstanbul"\x1b[2J'))
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
    foreign = f"not of the {trail.program.member}'s making: the record has no header dead_letter_topic\n"
    assert f"reason       {foreign}" in shown
    assert "header       ce_id: \\x1b[2J\nheader       none: none\n" in shown
    assert shown.endswith("x\n… and 1808 bytes more\n")
    assert len(shown) < 9_000
    assert trail.command("dead-letters", "list").stdout == f"0:0  {foreign}"


@pytest.mark.parametrize("position", ["0", "7:0"])
def test_a_dead_letter_that_is_not_there_is_one_line_and_exit_status_1(trail: Trail, position: str) -> None:
    missing = trail.command("dead-letters", "show", position)

    assert missing.returncode == 1
    assert missing.stderr.startswith(f"{trail.program.package}: {trail.dlq_topic} has no record at ")
    assert missing.stderr.count("\n") == 1


def test_an_invalid_position_is_refused_with_exit_status_2(trail: Trail) -> None:
    refused = trail.command("dead-letters", "show", "-1:x")

    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_dead_letters_cannot_be_read_without_their_topic_and_it_says_so(trail: Trail) -> None:
    missing = trail.command("dead-letters", "list", AUDIT_DLQ_TOPIC="nowhere", INVENTORY_DLQ_TOPIC="nowhere")

    assert missing.returncode == 1
    assert missing.stderr.startswith(f"{trail.program.package}: Kafka: ")
    assert missing.stderr.endswith(": nowhere\n")


def test_status_tells_lag_pause_oldest_record_and_dead_letters(
    trail: Trail, start: Start, proxy: FaultyElasticsearch
) -> None:
    member, record = trail.program.member, trail.program.record
    trail.produce_raw(b"no event", partition=1)
    trail.produce_raw(trail.refused_by_mapping(event()), partition=1)
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_BATCH_SIZE="10").wait_until_ready()
    eventually(lambda: trail.lag() == 0, "the dead letters settled")
    proxy.fault = lambda body: Reply(503, b"{}")
    trail.produce_documents(event(number) for number in range(100))
    eventually(lambda: sink.metric("indexing_paused_partitions") == 6, "paused partitions")

    lines = trail.command("status", AUDIT_SINK_METRICS_PORT=str(sink.port)).stdout.splitlines()
    assert lines[0] == f"group {trail.name} on {trail.topic}: 1 member"
    assert lines[1].split() == ["partition", "committed", "end", "lag"]
    assert lines[3].split() == ["1", "2", lines[3].split()[2], str(int(lines[3].split()[2]) - 2)]
    assert lines[8].split() == ["in", "all", "100"]
    assert lines[9].startswith(f"oldest unsettled {record}: ")
    assert ", partition " in lines[9]
    at = f"{member} at 127.0.0.1:{sink.port}"
    assert lines[10].startswith(f"{at}: 6 partitions paused, oldest {record} in its hands: ")
    assert lines[11].startswith(f"dead letters in {trail.dlq_topic}: 2 (1 ")


def test_status_without_a_consumer_says_that_it_cannot_be_reached(trail: Trail) -> None:
    trail.produce_documents([event()])
    result = trail.command("status", AUDIT_SINK_METRICS_PORT="1")

    assert result.returncode == 0
    assert ": 0 members\n" in result.stdout
    assert f"oldest unsettled {trail.program.record}: " in result.stdout
    unreached = f"{trail.program.member} at 127.0.0.1:1: not reached: nothing listens there"
    assert f"{unreached} ({trail.prefix}METRICS_HOST" in result.stdout
    assert f"dead letters in {trail.dlq_topic}: 0\n" in result.stdout


def test_without_kafka_every_command_is_one_line_and_exit_status_1(trail: Trail) -> None:
    commands = [("status",), ("dead-letters", "list"), ("dead-letters", "show", "0")]
    if trail.program.projection is not None:
        commands.append(("replay",))
    with ExitStack() as processes:
        side_by_side = [  # each waits a while for an answer
            processes.enter_context(
                running(
                    *python(trail.program.package, *command),
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
            assert errors.splitlines()[-1].startswith(f"{trail.program.package}: Kafka: ")
            assert "Traceback" not in errors
