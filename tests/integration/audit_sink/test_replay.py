"""The command `replay`, which the inventory's indexer lacks."""

import os
import pty
import subprocess
import sys

import orjson

from tests.support.consumer_process import Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.faulty_proxy import Reply
from tests.support.paths import ROOT
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually


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
