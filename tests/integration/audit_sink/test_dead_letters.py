"""The reasons for which a record of the audit topic is no event."""

import orjson

from contracts.query_event.event import encode
from tests.support.consumer_process import Start
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually


def test_each_kind_of_record_that_is_no_event_is_a_dead_letter_with_its_reason(trail: Trail, start: Start) -> None:
    unreadable = {
        b"not_json": b"\xff no json",
        b"tombstone": None,
        b"unknown_schema_version": orjson.dumps(orjson.loads(encode(event())) | {"schema_version": 9}),
        b"schema": orjson.dumps(orjson.loads(encode(event())) | {"event_id": "no id"}),
    }
    for value in unreadable.values():
        trail.produce_raw(value, partition=3)
    start()

    eventually(lambda: len(trail.dead_letters()) == 4, "four dead letters")
    letters = trail.dead_letters()
    assert {dict(letter.headers() or [])["dead_letter_reason"]: letter.value() for letter in letters} == unreadable
