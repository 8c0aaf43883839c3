"""The index of an event: its own day, unless that is absurd."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.query_event.daily_index import MAX_DAYS_EARLY, MAX_DAYS_LATE, daily_index

ARRIVED = datetime(2026, 11, 21, 0, 0, 1, tzinfo=UTC)
ARRIVED_MS = int(ARRIVED.timestamp() * 1000)


@pytest.mark.parametrize(
    ("event_timestamp", "index"),
    [
        ("2026-11-21T00:00:00.000Z", "logs-2026.11.21"),
        ("2026-11-20T23:59:59.999Z", "logs-2026.11.20"),
        ("2026-11-14T00:00:00.000Z", "logs-2026.11.14"),
        ("2026-11-13T23:59:59.999Z", "logs-2026.11.21"),
        ("2026-11-22T23:59:59.999Z", "logs-2026.11.22"),
        ("2026-11-23T00:00:00.000Z", "logs-2026.11.21"),
        ("1970-01-01T00:00:00.000Z", "logs-2026.11.21"),
        ("9999-12-31T23:59:59.999Z", "logs-2026.11.21"),
        ("0000-01-01T00:00:00.000Z", "logs-2026.11.21"),
        ("2026-02-30T00:00:00.000Z", "logs-2026.11.21"),
    ],
)
def test_the_day_is_the_events_own_inside_the_window_and_kafkas_outside(event_timestamp: str, index: str) -> None:
    assert daily_index("logs-", event_timestamp, ARRIVED_MS) == index


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9000, 1, 1)))
def test_few_indices_are_possible_for_one_arrival_however_wrong_the_clock(event_time: datetime) -> None:
    index = daily_index("", f"{event_time.isoformat(timespec='milliseconds')}Z", ARRIVED_MS)

    possible = range(-MAX_DAYS_EARLY, MAX_DAYS_LATE + 1)
    assert index in {(ARRIVED + timedelta(days=days)).strftime("%Y.%m.%d") for days in possible}


@pytest.mark.parametrize("arrived_ms", [2**60, -(2**60), -1])
def test_an_absurd_arrival_names_some_index(arrived_ms: int) -> None:
    assert daily_index("logs-", "2026-11-21T00:00:00.000Z", arrived_ms) in ("logs-1970.01.01", "logs-1969.12.31")
