"""The decoder against the schema: it takes what the schema takes, and says of the rest what is wrong."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.invalid import InvalidReason, InvalidRecord
from contracts.query_event.event import MAX_EVENT_BYTES
from contracts.query_event.reader import decode
from tests.support.query_event import EXAMPLES, SCHEMA, complete, is_valid

GOLDEN: dict[str, Any] = orjson.loads((EXAMPLES[0].parent / "query.executed.json").read_bytes())


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """The document without the member at a path."""
    result = copy.deepcopy(document)
    place = result
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return result


def changed(document: dict[str, Any], value: object, *path: str) -> dict[str, Any]:
    """The document with another value at a path."""
    result = copy.deepcopy(document)
    place = result
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return result


def members(document: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every member, and of those inside it."""
    found = []
    for name, value in document.items():
        found.append((*path, name))
        if isinstance(value, dict):
            found += members(value, (*path, name))
    return found


def known(value: Any, schema: dict[str, Any]) -> Any:
    """A value without the members that the schema does not name."""
    described = schema["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if described.get("anyOf", [{}])[-1].keys() == {"$ref"}:
        described = SCHEMA["$defs"][described["anyOf"][-1]["$ref"].rpartition("/")[2]]
    if not isinstance(value, dict) or "properties" not in described:
        return value
    properties = described["properties"]
    inner = {name: each | {"$defs": SCHEMA["$defs"]} for name, each in properties.items()}
    return {name: known(each, inner[name]) for name, each in value.items() if name in inner}


TEXTS = st.text(max_size=20) | st.sampled_from(
    ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "300.1.1.1", "2026-11-21T01:02:03.456Z", "query.failed", "a" * 300]
)
SCALARS = st.none() | st.booleans() | st.integers(-1, 2**54) | st.sampled_from([99, 100, 599, 600, 1.5]) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2))


@st.composite
def altered_events(draw: st.DrawFn) -> dict[str, Any]:
    """A golden event of which a member or two are others, absent, or new."""
    document: dict[str, Any] = orjson.loads(draw(st.sampled_from(EXAMPLES)).read_bytes())
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(members(document)))
        match draw(st.sampled_from(["change", "remove", "add"])):
            case "change":
                document = changed(document, draw(VALUES), *path)
            case "remove":
                document = without(document, *path)
            case "add":
                document = changed(document, draw(VALUES), *path[:-1], draw(TEXTS))
        if not document:
            break
    return document


@given(altered_events())
def test_it_takes_what_the_schema_takes_and_nothing_else(event: dict[str, Any]) -> None:
    try:
        decoded = decode(orjson.dumps(event))
    except InvalidRecord as refused:
        assert refused.reason in (InvalidReason.SCHEMA, InvalidReason.UNKNOWN_SCHEMA_VERSION)
        assert not is_valid(event), refused
    else:
        assert is_valid(event)
        assert orjson.loads(msgspec.json.encode(decoded)) == complete(known(event, SCHEMA))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_read_as_it_is(path: Path) -> None:
    document = orjson.loads(path.read_bytes())

    assert orjson.loads(msgspec.json.encode(decode(path.read_bytes()))) == complete(document)


@pytest.mark.parametrize("path", [("password",), ("data", "surprise"), ("metadata", "surprise")])
def test_a_member_that_it_does_not_know_is_ignored(path: tuple[str, ...]) -> None:
    event = changed(GOLDEN, {"later": 1}, *path)

    assert is_valid(event)
    assert orjson.loads(msgspec.json.encode(decode(orjson.dumps(event)))) == complete(GOLDEN)


def test_an_event_of_a_type_that_it_does_not_know_is_kept() -> None:
    event = changed(GOLDEN, "inventory.changed", "event_type")

    assert is_valid(event)
    assert decode(orjson.dumps(event)).event_type == "inventory.changed"


def test_a_dsl_on_several_lines_is_put_on_one() -> None:
    value = orjson.dumps(GOLDEN, option=orjson.OPT_INDENT_2)

    assert b"\n" not in bytes(decode(value).data.dsl)
    assert orjson.loads(bytes(decode(value).data.dsl)) == GOLDEN["data"]["dsl"]


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\xff"'])
@pytest.mark.parametrize("member", ["dsl", "query"])
def test_a_lone_surrogate_is_no_json(member: str, text: bytes) -> None:
    content = b'{"a":%b}' % text if member == "dsl" else text
    value = orjson.dumps(changed(GOLDEN, "@", "data", member)).replace(b'"@"', content)

    with pytest.raises(InvalidRecord) as caught:
        decode(value)

    assert caught.value.reason is InvalidReason.NOT_JSON


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("my secret search", ("event_type",)),
        ("my secret search", ("metadata", "client_ip")),
        ("my secret search", ("data", "hits")),
    ],
)
def test_a_complaint_tells_nothing_of_the_content(value: object, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(orjson.dumps(changed(GOLDEN, value, *path)))

    assert "secret" not in str(caught.value)


def test_no_required_member_may_be_absent() -> None:
    members: list[tuple[str, ...]] = [(name,) for name in SCHEMA["required"] if name != "schema_version"]
    members += [(part, name) for part in ("data", "metadata") for name in SCHEMA["$defs"][part]["required"]]
    for member in members:
        with pytest.raises(InvalidRecord) as caught:
            decode(orjson.dumps(without(GOLDEN, *member)))
        assert caught.value.reason is InvalidReason.SCHEMA
        assert member[-1] in caught.value.detail


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("not-an-id", ("event_id",)),
        ("0192f5a3-7c1e-4b4a-9d2f-3a5b6c7d8e9f", ("event_id",)),
        ("0192F5A3-7C1E-7B4A-9D2F-3A5B6C7D8E9F", ("event_id",)),
        ("query", ("event_type",)),
        ("Query.Executed", ("event_type",)),
        ("2026-11-21T01:02:03Z", ("timestamp",)),
        ("2026-11-21T04:02:03.456+03:00", ("timestamp",)),
        ("", ("user_id",)),
        ("u" * 257, ("user_id",)),
        ("match_all", ("data", "dsl")),
        (-1, ("data", "hits")),
        (1.5, ("data", "took_ms")),
        (None, ("data", "status")),
        ({"code": "forbidden"}, ("data", "error")),
        ("localhost", ("metadata", "client_ip")),
        ("fe80::1%eth0", ("metadata", "client_ip")),
        ("4bf92f35", ("metadata", "trace_id")),
        ("a" * 1025, ("metadata", "user_agent")),
    ],
)
def test_a_member_out_of_its_bounds_is_no_event(value: object, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(orjson.dumps(changed(GOLDEN, value, *path)))

    assert caught.value.reason is InvalidReason.SCHEMA


def test_a_complaint_says_where() -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(orjson.dumps(changed(GOLDEN, "my secret search", "metadata", "client_ip")))

    assert "metadata.client_ip" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, InvalidReason.TOMBSTONE),
        (b"", InvalidReason.NOT_JSON),
        (b"\xff\xfe", InvalidReason.NOT_JSON),
        (b'{"event_id":', InvalidReason.NOT_JSON),
        (b"[" * 5000, InvalidReason.NOT_JSON),
        (b"null", InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b"[]", InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b"{}", InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b'{"schema_version": 2}', InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b'{"schema_version": "1"}', InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b'{"schema_version": true}', InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b'{"schema_version": [1]}', InvalidReason.UNKNOWN_SCHEMA_VERSION),
        (b" " * (MAX_EVENT_BYTES + 1), InvalidReason.TOO_LARGE),
    ],
)
def test_bytes_that_are_no_event_are_told_apart_by_reason(value: bytes | None, reason: InvalidReason) -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(value)

    assert caught.value.reason is reason


@pytest.mark.parametrize("depth", [*range(200, 1_000, 100), *range(985, 1_030), 1_100, 5_000])
def test_an_event_of_any_depth_is_read_or_refused(depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    dsl = orjson.dumps(changed(GOLDEN, "@", "data", "dsl")).replace(b'"@"', nested)

    for value in (dsl, dsl.replace(b'{"a":', b'{\n"a":'), b'{"b":%b}' % nested, b"[" * depth + b"]" * depth):
        try:
            decode(value)
        except InvalidRecord as refused:
            assert refused.reason in (InvalidReason.NOT_JSON, InvalidReason.UNKNOWN_SCHEMA_VERSION)
