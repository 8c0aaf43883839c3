"""The commands beside `serve`."""

import orjson

from tests.integration.audit_sink.harness import (
    FaultyElasticsearch,
    Reply,
    Start,
    Trail,
    event,
    eventually,
)


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
