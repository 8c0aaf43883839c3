"""Format of a spool file, whole and damaged."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.spool_format import Contents, Record, frame, unframe

# Lone surrogates are not UTF-8; an event's encoding has replaced them already.
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
HEADERS = st.lists(st.tuples(TEXT, st.text(st.characters(codec="ascii"), max_size=20).map(str.encode)), max_size=3)
RECORDS = st.lists(
    st.builds(Record, TEXT, st.none() | TEXT, TEXT.map(lambda text: f'{{"query":"{text}"}}'.encode()), HEADERS),
    max_size=8,
)


@given(RECORDS)
def test_records_come_back_as_they_went_in_and_in_order(records: list[Record]) -> None:
    assert unframe(b"".join(map(frame, records))) == Contents(records, 0)


@given(RECORDS, st.data())
def test_a_torn_end_costs_the_record_that_it_tears_and_no_other(records: list[Record], data: st.DataObject) -> None:
    frames = [frame(record) for record in records]
    kept = data.draw(st.integers(0, len(frames)))
    torn = frames[kept][: data.draw(st.integers(0, len(frames[kept]) - 1))] if kept < len(frames) else b""
    assert unframe(b"".join(frames[:kept]) + torn) == Contents(records[:kept], len(torn))


@given(RECORDS.filter(bool), st.data())
def test_a_damaged_byte_costs_the_record_that_it_is_in_and_no_other(records: list[Record], data: st.DataObject) -> None:
    frames = [bytearray(frame(record)) for record in records]
    number = data.draw(st.integers(0, len(frames) - 1))
    place = data.draw(st.integers(0, len(frames[number]) - 1))
    frames[number][place] ^= data.draw(st.integers(1, 255))
    expected = [record for at, record in enumerate(records) if at != number]
    assert unframe(b"".join(frames)) == Contents(expected, len(frames[number]))


@given(RECORDS.filter(bool), st.binary(max_size=64))
def test_bytes_that_are_no_records_hide_no_record(records: list[Record], rubbish: bytes) -> None:
    frames = b"".join(map(frame, records))
    assert unframe(rubbish + frames).records == records
