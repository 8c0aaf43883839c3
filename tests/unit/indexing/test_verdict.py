"""The verdict on a bulk answer: every event ends in exactly one place."""

from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from indexing.batch import Batch, DeadLetter, Write
from indexing.breaker import DeadLetterBreaker
from indexing.verdict import Item, judge

CREATED: Item = (201, None)
CONFLICT: Item = (409, {"type": "version_conflict_engine_exception", "reason": "exists"})
REJECTED: Item = (429, {"type": "es_rejected_execution_exception", "reason": "queue full"})
BLOCKED: Item = (403, {"type": "cluster_block_exception", "reason": "read-only"})
REFUSED: Item = (400, {"type": "document_parsing_exception", "reason": "no ip"})


def write(events: int, letters: int = 0) -> Write:
    """A write of so many events, with so many records that are no events."""
    records = [Message(topic="t", partition=0, offset=offset, value=b"{}") for offset in range(events + letters)]
    dead = [DeadLetter(record, "not_json", "") for record in records[events:]]
    return Write(Batch([], 0, 1), [b"line %d\n" % number for number in range(events)], records[:events], dead)


def test_a_duplicate_is_a_success() -> None:
    verdict = judge(write(2), [CREATED, CONFLICT], DeadLetterBreaker())

    assert (verdict.indexed, verdict.duplicates, verdict.letters, verdict.retry) == (1, 1, [], None)


def test_only_the_rejected_items_are_tried_again() -> None:
    verdict = judge(write(3), [CREATED, REJECTED, CREATED], DeadLetterBreaker())

    assert verdict.retry is not None
    assert verdict.retry.operations == [b"line 1\n"]
    assert verdict.cause == "throttled"
    assert verdict.stall is None


def test_one_poisonous_item_is_a_dead_letter_and_its_batch_is_not() -> None:
    verdict = judge(write(3), [CREATED, REFUSED, CREATED], DeadLetterBreaker())

    assert verdict.indexed == 2
    assert [(letter.record.offset(), letter.reason) for letter in verdict.letters] == [(1, "refused_by_mapping")]
    assert verdict.retry is None


def test_a_record_whose_operations_are_refused_in_two_tries_is_one_dead_letter() -> None:
    [record] = write(1).records
    sent = Write(Batch([], 0, 1), [b"first\n", b"second\n"], [record, record])
    first = judge(sent, [REFUSED, REJECTED], DeadLetterBreaker())
    assert first.retry is not None
    second = judge(first.retry, [REFUSED], DeadLetterBreaker())

    assert [letter.record for letter in first.letters] == [record]
    assert not second.letters


def test_a_stall_counts_records_and_not_their_operations() -> None:
    records = write(200).records
    sent = Write(Batch([], 0, 1), [b"line\n"] * 400, records * 2)
    verdict = judge(sent, [REFUSED] * 400, DeadLetterBreaker())

    assert verdict.stall is not None
    assert "200 of 200 records would become dead letters" in verdict.stall


def test_a_blocked_index_stalls_and_makes_no_dead_letter() -> None:
    verdict = judge(write(2), [BLOCKED, REJECTED], DeadLetterBreaker())

    assert not verdict.letters
    assert verdict.retry is not None
    assert verdict.cause == "blocked"
    assert verdict.stall == "cluster_block_exception: read-only"


def test_when_everything_is_poison_it_is_all_tried_again() -> None:
    verdict = judge(write(200, letters=50), [REFUSED] * 200, DeadLetterBreaker())

    assert not verdict.letters
    assert verdict.retry is not None
    assert len(verdict.retry.operations) == 200
    assert len(verdict.retry.letters) == 50
    assert verdict.stall is not None
    assert "250 of 250 records would become dead letters" in verdict.stall


@given(
    st.lists(st.sampled_from([CREATED, CONFLICT, REJECTED, BLOCKED, REFUSED]), min_size=1, max_size=300),
    st.integers(min_value=0, max_value=150),
)
def test_every_event_ends_in_exactly_one_place(items: list[Item], letters: int) -> None:
    sent = write(len(items), letters)
    verdict = judge(sent, items, DeadLetterBreaker())

    again = [] if verdict.retry is None else verdict.retry.records + [each.record for each in verdict.retry.letters]
    dead = [letter.record for letter in verdict.letters]
    assert verdict.indexed + verdict.duplicates + len(again) + len(dead) == len(items) + letters
    offsets = [record.offset() for record in again + dead]
    assert len(set(offsets)) == len(offsets)
