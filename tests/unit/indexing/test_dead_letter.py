"""A dead letter's envelope: the original bytes and coordinates, always small enough for its topic."""

from dataclasses import replace

import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from indexing.batch import DeadLetter
from indexing.dead_letter import MAX_ENVELOPE_BYTES, MAX_VALUE_BYTES, Envelope, envelope, stored_letter


def record(
    value: bytes | None, key: bytes | None = b"octoAdmin", headers: list[tuple[str, bytes]] | None = None
) -> Message:
    """A record as it was read from the topic."""
    return Message(
        topic="query-events",
        partition=4,
        offset=99,
        key=key,
        value=value,
        headers=[*(headers or [])],
        timestamp=(2, 1_700),
    )


def read_back(sealed: Envelope) -> Message:
    """The envelope as a record of the dead-letter topic."""
    return Message(topic="dlq", partition=0, offset=0, key=sealed.key, value=sealed.value, headers=[*sealed.headers])


@given(value=st.one_of(st.none(), st.binary()), key=st.one_of(st.none(), st.binary()), detail=st.text())
def test_a_letter_is_read_back_as_it_was_sent(value: bytes | None, key: bytes | None, detail: str) -> None:
    original = record(value, key, [("ce_type", b"query.executed"), ("ce_id", b"1")])
    stored = stored_letter(read_back(envelope(DeadLetter(original, "not_json", detail))))

    assert (stored.topic, stored.partition, stored.offset, stored.timestamp_ms) == ("query-events", 4, 99, 1_700)
    assert (stored.key, stored.value, stored.reason, stored.is_cut) == (key, value, "not_json", False)
    assert stored.headers == [("ce_type", b"query.executed"), ("ce_id", b"1")]


def test_the_original_headers_are_kept_before_ours() -> None:
    sealed = envelope(DeadLetter(record(b"", headers=[("ce_id", b"1"), ("dead_letter_offset", b"7")]), "schema", "why"))

    assert sealed.headers == [
        ("ce_id", b"1"),
        ("dead_letter_reason", b"schema"),
        ("dead_letter_detail", b"why"),
        ("dead_letter_topic", b"query-events"),
        ("dead_letter_partition", b"4"),
        ("dead_letter_offset", b"99"),
        ("dead_letter_timestamp", b"1700"),
    ]


def test_a_huge_original_is_cut_marked_and_fits() -> None:
    huge = b"x" * 50_000_000
    sealed = envelope(DeadLetter(record(huge, key=huge, headers=[("h", huge)]), "too_large", "why"))

    assert sealed.value == huge[:MAX_VALUE_BYTES]
    assert ("dead_letter_cut_from_bytes", b"50000000") in sealed.headers
    size = len(sealed.key or b"") + len(sealed.value) + sum(len(n) + len(v or b"") for n, v in sealed.headers)
    assert size < MAX_ENVELOPE_BYTES
    assert stored_letter(read_back(sealed)).is_cut


def test_a_record_that_is_no_dead_letter_says_what_is_missing() -> None:
    with pytest.raises(ValueError, match="dead_letter_topic"):
        stored_letter(record(b"{}"))


@pytest.mark.parametrize("name", ["partition", "offset", "timestamp"])
@pytest.mark.parametrize("value", [b"x", b"-2", b"9" * 30, b"9" * 10_000])
def test_a_record_with_coordinates_that_no_record_has_is_no_dead_letter(name: str, value: bytes) -> None:
    sealed = envelope(DeadLetter(record(b"{}"), "schema", "why"))
    forged = replace(sealed, headers=[*sealed.headers, (f"dead_letter_{name}", value)])

    with pytest.raises(ValueError):
        stored_letter(read_back(forged))


def test_headers_that_cannot_be_read_are_left_out() -> None:
    class Unreadable(Message):
        """As the client's own are where a header's name is no UTF-8."""

        def headers(self) -> None:
            """Fail as the client does."""
            raise SystemError("returned a result with an exception set")

    sealed = envelope(DeadLetter(Unreadable(topic="t", partition=0, offset=1, value=b"x"), "not_json", "why"))

    assert next(name for name, _ in sealed.headers) == "dead_letter_reason"
