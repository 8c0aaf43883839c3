"""The inventory's change: golden examples against the schema, and the reader against both."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.invalid import InvalidReason, InvalidRecord
from contracts.inventory_change.change import (
    MAX_CHANGE_BYTES,
    MAX_RECORD_BYTES,
    SNAPSHOT,
    encode,
    headers,
    record_key,
)
from contracts.inventory_change.reader import decode
from gateway.inventory.models import Operation
from tests.support.inventory_change import EXAMPLES, SCHEMA, is_valid, read_change

Steps = tuple[str | int, ...]

GOLDEN: dict[str, Any] = orjson.loads((EXAMPLES[0].parent / "patch.json").read_bytes())
INDEXED = SCHEMA["$defs"]["indexed"]


def altered(change: dict[str, Any], path: Steps, value: object) -> dict[str, Any]:
    """The change with another value at a path."""
    result = copy.deepcopy(change)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return result


def without(change: dict[str, Any], path: Steps) -> dict[str, Any]:
    """The change without the member at a path."""
    result = copy.deepcopy(change)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return result


def known(change: dict[str, Any]) -> dict[str, Any]:
    """A change without the members that the schema does not name."""
    found = {name: value for name, value in change.items() if name in SCHEMA["properties"]}
    entries = [{name: entry[name] for name in entry if name in INDEXED["properties"]} for entry in found["documents"]]
    return found | {"documents": entries}


MEMBERS: list[Steps] = [
    *((name,) for name in SCHEMA["required"]),
    *(("documents", 0, name) for name in INDEXED["required"]),
]
TEXTS = st.text(max_size=20) | st.sampled_from(["device", "2026-11-21T01:02:03.456Z", "patch", "a" * 300])
SCALARS = st.none() | st.booleans() | st.integers(-1, 2**54) | st.just(1.5) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2))


@given(st.sampled_from(EXAMPLES), st.sampled_from(MEMBERS), VALUES | st.just("absent"))
def test_the_reader_takes_what_the_schema_takes_and_nothing_else(path: Path, member: Steps, value: object) -> None:
    golden = orjson.loads(path.read_bytes())
    change = without(golden, member) if value == "absent" else altered(golden, member, value)
    try:
        decoded = decode(orjson.dumps(change))
    except InvalidRecord as refused:
        assert refused.reason in (InvalidReason.SCHEMA, InvalidReason.UNKNOWN_SCHEMA_VERSION)
        assert not is_valid(change), refused
    else:
        assert is_valid(change)
        assert orjson.loads(msgspec.json.encode(decoded)) == known(change)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid_and_is_what_the_relay_writes(path: Path) -> None:
    change = read_change(path.read_bytes())

    assert orjson.loads(encode(decode(path.read_bytes()))) == change


@pytest.mark.parametrize("operation", [*Operation, SNAPSHOT])
def test_every_operation_has_an_example_of_its_name(operation: str) -> None:
    assert orjson.loads((EXAMPLES[0].parent / f"{operation}.json").read_bytes())["op"] == operation


def test_example_ids_are_distinct() -> None:
    ids = [orjson.loads(path.read_bytes())["change_id"] for path in EXAMPLES]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", [("later",), ("documents", 0, "later")])
def test_a_member_that_the_reader_does_not_know_is_ignored(path: Steps) -> None:
    change = altered(GOLDEN, path, {"new": 1})

    assert is_valid(change)
    assert orjson.loads(encode(decode(orjson.dumps(change)))) == GOLDEN


def test_documents_on_several_lines_are_put_on_one() -> None:
    decoded = decode(orjson.dumps(GOLDEN, option=orjson.OPT_INDENT_2))

    assert b"\n" not in bytes(decoded.document) + bytes(decoded.documents[0].document)
    assert orjson.loads(encode(decoded)) == GOLDEN


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\xff"'])
@pytest.mark.parametrize("path", [("document", "Site"), ("documents", 0, "document", "Site"), ("actor",)])
def test_what_no_unicode_text_holds_is_no_json(path: Steps, text: bytes) -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(orjson.dumps(altered(GOLDEN, path, "@")).replace(b'"@"', text))

    assert caught.value.reason is InvalidReason.NOT_JSON


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, InvalidReason.TOMBSTONE),
        (b"", InvalidReason.NOT_JSON),
        (b"[" * 5000, InvalidReason.NOT_JSON),
        (b"{}", InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (orjson.dumps(GOLDEN | {"schema_version": 2}), InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b" " * (MAX_CHANGE_BYTES + 1), InvalidReason.TOO_LARGE),
    ],
)
def test_bytes_that_are_no_change_are_told_apart_by_reason(value: bytes | None, reason: InvalidReason) -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(value)

    assert caught.value.reason is reason


@pytest.mark.parametrize("path", [("at",), ("change_id",), ("documents", 0, "document"), ("version",)])
def test_a_complaint_says_where_and_tells_nothing_of_the_content(path: Steps) -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(orjson.dumps(altered(GOLDEN, path, "my secret host")))

    assert caught.value.reason is InvalidReason.SCHEMA
    assert str(path[-1]) in caught.value.detail
    assert "secret" not in str(caught.value)


def test_headers_are_cloudevents_binary_mode_with_the_number_given_last() -> None:
    assert headers(decode(orjson.dumps(GOLDEN)), 99) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", GOLDEN["change_id"].encode()),
        ("ce_type", b"inventory.patch"),
        ("ce_source", b"/sluice/gateway"),
        ("ce_subject", b"device/octoxlabs01"),
        ("ce_time", b"2026-11-21T01:02:03.456Z"),
        ("content-type", b"application/json"),
        ("sluice_version", b"7"),
        ("sluice_feed", b"99"),
    ]


def test_the_key_names_the_root_and_the_largest_change_fits_into_a_record() -> None:
    key = record_key("t" * 128, "i" * 128)
    change = decode(orjson.dumps(GOLDEN | {"id": "i" * 128, "type": "t" * 128, "request_id": "r" * 128}))

    assert record_key("plan", "gold") == "plan/gold"
    used = sum(len(name) + len(value) for name, value in headers(change, 2**53 - 1))
    assert MAX_CHANGE_BYTES + len(key) + used + 1024 < MAX_RECORD_BYTES
