"""The producer of dead letters, after an error that no producer survives."""

from collections import Counter

import pytest
from confluent_kafka import Message

from indexing.batch import DeadLetter
from indexing.dead_letter_queue import DeadLetterQueue
from kit.kafka import KafkaSettings
from tests.support.fatal_error import force_fatal_error
from tests.support.trail import Trail
from tests.support.waiting import eventually

LETTERS = 300


# No projection has a part in it.
@pytest.mark.parametrize("trail", ["audit"], indirect=True)
def test_a_producer_that_cannot_go_on_is_replaced_and_every_letter_it_had_is_sent_again(trail: Trail) -> None:
    queue = DeadLetterQueue(KafkaSettings(bootstrap_servers=trail.bootstrap), trail.dlq_topic, "audit-sink")
    acknowledged: Counter[int] = Counter()
    values = [b"letter %d" % number for number in range(LETTERS)]

    def send(number: int) -> None:
        record = Message(topic=trail.topic, partition=0, offset=number, value=values[number], timestamp=(1, 1_700))
        queue.send(DeadLetter(record, "not_json", "no JSON"), lambda: acknowledged.update([number]))

    def all_acknowledged() -> bool:
        queue.serve()
        return len(acknowledged) == LETTERS

    for number in range(LETTERS):
        if number in (100, 200):  # while letters are on their way, and those after it are refused at once
            force_fatal_error(queue._producer)  # pylint: disable=protected-access
        if number == 150:
            queue.serve()
        send(number)
    eventually(all_acknowledged, "every letter acknowledged")

    assert set(acknowledged.values()) == {1}
    assert {letter.value() for letter in trail.dead_letters()} == set(values)
    assert queue.trouble is None
