"""Rows made of records."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Message

from contracts.query_event.daily_index import daily_index
from contracts.query_event.event import encode
from lake.serve.rows import Rows
from lake.tables import EVENTS, REJECTED
from tests.support.lake import TOPIC_ID, builder, record, settings_in
from tests.support.mmdb import write_mmdb
from tests.support.query_event import EXAMPLES, event

_NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def _rows(folder: Path, *records: Message, **settings: object) -> Rows:
    return builder(settings_in(folder, **settings)).build(records, TOPIC_ID)


def _event(folder: Path, one: Message, **settings: object) -> dict[str, Any]:
    [row] = _rows(folder, one, **settings).events.to_pylist()
    found: dict[str, Any] = row
    return found


def _value(**changes: Any) -> bytes:
    original = orjson.loads(encode(event(1, _NOW)))
    for path, value in changes.items():
        *parents, name = path.split("__")
        part = original
        for parent in parents:
            part = part[parent]
        part[name] = value
    return orjson.dumps(original)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name.removesuffix(".json"))
def test_every_golden_event_is_a_row(example: Path, tmp_path: Path) -> None:
    value = orjson.loads(example.read_bytes())
    rows = _rows(tmp_path, record(orjson.dumps(value), 7, 3))

    assert rows.rejected.num_rows == 0
    [row] = rows.events.to_pylist()
    data, metadata = value["data"], value["metadata"]
    assert {name: row[name] for name in ("event_id", "event_type", "user_id")} == {
        name: value[name] for name in ("event_id", "event_type", "user_id")
    }
    assert {name: row[name] for name in ("query", "index", "hits", "took_ms", "status")} == {
        name: data[name] for name in ("query", "index", "hits", "took_ms", "status")
    }
    assert (None if row["dsl"] is None else orjson.loads(row["dsl"])) == data["dsl"]
    assert {name: row[name] for name in metadata} == metadata
    assert (row["topic_id"], row["partition"], row["offset"], row["copies"]) == (TOPIC_ID, 3, 7, None)
    assert (row["user_key"] is None) == (value["user_id"] is None)


def test_the_columns_are_the_tables(tmp_path: Path) -> None:
    rows = _rows(tmp_path, record(event(), 0), record(b"no event", 1))

    assert (rows.events.schema, rows.rejected.schema) == (EVENTS.schema, REJECTED.schema)


def test_a_target_of_one_document_and_of_several_are_both_lists(tmp_path: Path) -> None:
    for ids in ("a", ["a", "b"]):
        target = {"type": "devices", "id": ids, "version": 3, "changed": [""]}
        row = _event(tmp_path, record(_value(data__target=target), 0))
        assert (row["target_ids"], row["target_version"], row["target_changed"]) == ([*ids], 3, [""])


def test_only_queries_have_a_shape(tmp_path: Path) -> None:
    query = _event(tmp_path, record(_value(), 0))
    change = _event(tmp_path, record(_value(event_type="admin.changed"), 0))

    assert (query["shape"], query["fields"]) == ("Hostname = ?", ["Hostname"])
    assert (change["shape"], change["fields"]) == (None, None)


@pytest.mark.parametrize(
    ("late", "day", "hour"),
    [
        (timedelta(0), date(2026, 11, 21), 23),
        (timedelta(hours=3), date(2026, 11, 21), 23),
        (timedelta(days=7), date(2026, 11, 21), 23),
        (timedelta(days=8), date(2026, 11, 29), 23),
        (timedelta(days=9, hours=1), date(2026, 12, 1), 0),
        (-timedelta(days=1), date(2026, 11, 21), 23),
        (-timedelta(days=2, hours=1), date(2026, 11, 19), 22),
    ],
)
def test_day_and_hour_are_the_events_own_within_the_window_of_the_daily_index(
    tmp_path: Path, late: timedelta, day: date, hour: int
) -> None:
    row = _event(tmp_path, record(event(1, _NOW), 0, kafka_time=_NOW + late))

    assert (row["day"], row["hour"], row["time"]) == (day, hour, _NOW)
    kafka_ms = int((_NOW + late).timestamp() * 1000)
    assert daily_index("", "2026-11-21T23:30:00.000Z", kafka_ms) == day.strftime("%Y.%m.%d")


@pytest.mark.parametrize("time", ["2026-02-30T00:00:00.000Z", "2026-11-21T24:00:00.000Z", "2026-11-21T00:00:60.000Z"])
def test_an_event_of_a_time_that_there_is_not_is_rejected_as_elasticsearch_does(tmp_path: Path, time: str) -> None:
    value = _value(timestamp=time)
    rows = _rows(tmp_path, record(value, 4, kafka_time=_NOW))

    assert rows.events.num_rows == 0
    [row] = rows.rejected.to_pylist()
    assert (row["reason"], row["detail"]) == ("schema", "timestamp: Expected a time that there is")
    assert (row["value"], row["offset"], row["day"]) == (value, 4, _NOW.date())


@pytest.mark.parametrize("kafka_ms", [-1, 10**18])
def test_a_time_of_kafkas_that_no_calendar_has_stops_nothing(tmp_path: Path, kafka_ms: int) -> None:
    bad = Message(topic="t", partition=0, offset=0, value=encode(event(1, _NOW)), timestamp=(1, kafka_ms))

    assert _event(tmp_path, bad)["kafka_time"] == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_rejected_record_keeps_its_headers_in_their_order(tmp_path: Path) -> None:
    headers: list[tuple[str, str | bytes | None]] = [("a", b"1"), ("b", None), ("a", b"2")]
    bad = Message(topic="t", partition=0, offset=0, key=b"k", value=b"{", headers=headers, timestamp=(2, 1_000))

    [row] = _rows(tmp_path, bad).rejected.to_pylist()
    assert row["headers"] == [{"name": name, "value": value} for name, value in headers]
    assert (row["key"], row["value"], row["reason"]) == (b"k", b"{", "not_json")


def test_an_address_is_enriched(tmp_path: Path) -> None:
    path = write_mmdb(tmp_path / "country.mmdb", {"192.0.2.0/24": {"country": {"iso_code": "TR"}}})
    row = _event(tmp_path, record(event(), 0), mmdb=(path,))

    assert (row["client_ip"], row["network"], row["country"]) == ("192.0.2.1", "192.0.2.0/24", "TR")
    assert _event(tmp_path, record(_value(metadata__client_ip=None), 0))["network"] is None
