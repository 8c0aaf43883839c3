"""Rows of a month in the lake's table of events, for what compares a day with the weeks before it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from lake.tables import EVENTS, Lake

DAY = date(2026, 11, 26)
"""The day that is looked at, a Thursday."""


class Month:
    """Rows that are collected, and written at once."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def search(self, user: str, day: date = DAY, hour: int = 10, **columns: Any) -> None:
        """Add an executed search of a user's; columns that are given replace the usual ones."""
        number = len(self._rows)
        usual = {
            "day": day,
            "hour": hour,
            "time": datetime.combine(day, time(hour), UTC) + timedelta(milliseconds=number % 3_600_000),
            "event_id": f"event-{number}",
            "event_type": "query.executed",
            "user_id": user,
            "user_key": key(user),
            "query": "Hostname = octoxlabs01",
            "shape": "Hostname = ?",
            "index": "devices",
            "hits": 3,
            "took_ms": 2,
            "status": 200,
            "network": "192.0.2.0/24",
            "country": "DE",
            "user_agent": "curl/8",
            "topic_id": "topic",
            "partition": 0,
            "offset": number,
        }
        self._rows.append(usual | columns)

    def usual(self, user: str, *, per_hour: int = 3, hours: range = range(9, 17), **columns: Any) -> None:
        """Add four weeks of working days, and the day itself, of the same searches."""
        for back in range(29):
            day = DAY - timedelta(back)
            if day.weekday() < 5:
                for hour in hours:
                    for _ in range(per_hour):
                        self.search(user, day, hour, **columns)

    def write(self, lake: Lake) -> None:
        """Commit the rows."""
        columns = {name: [row.get(name) for row in self._rows] for name in EVENTS.schema.names}
        write_deltalake(lake.open(EVENTS), pa.table(columns, schema=EVENTS.schema), mode="append")


def key(user: str) -> str:
    """The key that stands for a user in these rows."""
    return f"key-of-{user}"
