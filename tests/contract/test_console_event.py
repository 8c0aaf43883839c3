"""The console event: its example against the schema, and the reader against both."""

from importlib import resources
from pathlib import Path

import jsonschema_rs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.console_event.event import MAX_EVENT_BYTES, ConsoleEvent, decode, encode
from contracts.invalid import InvalidReason, InvalidRecord

_CONTRACT = Path(str(resources.files("contracts.console_event")))
_VALIDATOR = jsonschema_rs.validator_for(
    orjson.loads((_CONTRACT / "schema" / "console-event.v1.json").read_bytes()), validate_formats=True
)
_EXAMPLE = (_CONTRACT / "examples" / "wake-up.json").read_bytes()

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.just(1.5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["user", "later"]), inner, max_size=2),
)


@given(VALUES | st.fixed_dictionaries({"user": VALUES}, optional={"later": VALUES}))
def test_the_reader_takes_what_the_schema_takes_and_nothing_else(value: object) -> None:
    try:
        event = decode(orjson.dumps(value))
    except InvalidRecord as refused:
        assert refused.reason is InvalidReason.SCHEMA
        assert not _VALIDATOR.is_valid(value)
    else:
        assert _VALIDATOR.is_valid(value)
        assert isinstance(value, dict)
        assert event.user == value["user"]


def test_the_example_is_valid_and_is_what_the_gateway_writes() -> None:
    assert _VALIDATOR.is_valid(orjson.loads(_EXAMPLE))
    assert encode(ConsoleEvent(user=42)) == _EXAMPLE.strip()
    assert decode(_EXAMPLE) == ConsoleEvent(user=42)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, InvalidReason.TOMBSTONE),
        (b"", InvalidReason.NOT_JSON),
        (b"{", InvalidReason.NOT_JSON),
        (b'{"user":\xff}', InvalidReason.NOT_JSON),
        (b" " * (MAX_EVENT_BYTES + 1), InvalidReason.TOO_LARGE),
    ],
)
def test_bytes_that_are_no_event_are_told_apart_by_reason(value: bytes | None, reason: InvalidReason) -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(value)

    assert caught.value.reason is reason
