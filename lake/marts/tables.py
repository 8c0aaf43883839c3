"""The marts' tables; each has a SQL file of its name."""

from datetime import date
from importlib import resources

import pyarrow as pa

from lake.tables import TableSpec

_DAY = ("day", pa.date32())
_HOUR = ("hour", pa.int32())
_INDEX = ("index", pa.string())
_USER = ("user_key", pa.string())
_ORIGIN = (("network", pa.string()), ("country", pa.string()))


def _mart(name: str, *columns: tuple[str, pa.DataType]) -> TableSpec:
    # The last column of each counts; the log keeps nothing of the others.
    return TableSpec(f"mart_{name}", pa.schema(columns), partition_by=("day",), statistics=(columns[-1][0],))


SEARCHES = _mart(
    "searches",
    _DAY,
    _HOUR,
    _USER,
    ("team", pa.string()),
    _INDEX,
    ("shape", pa.string()),
    ("outcome", pa.string()),
    ("searches", pa.int64()),
    ("hits", pa.int64()),
    ("took_ms", pa.int64()),
)
"""Searches, rows found and milliseconds taken, by all columns before them. ``team`` is the owner of the asset that the
search came from; ``outcome`` is executed, rejected, denied, failed or throttled."""

LATENCY = _mart(
    "latency",
    _DAY,
    _HOUR,
    _INDEX,
    ("searches", pa.int64()),
    ("p50_ms", pa.int32()),
    ("p95_ms", pa.int32()),
    ("p99_ms", pa.int32()),
    ("max_ms", pa.int32()),
)
"""Milliseconds of executed searches; percentiles are of the nearest rank."""

REFUSALS = _mart(
    "refusals",
    _DAY,
    _HOUR,
    ("event_type", pa.string()),
    ("error_code", pa.string()),
    ("status", pa.int32()),
    _INDEX,
    _USER,
    *_ORIGIN,
    ("refusals", pa.int64()),
)
"""Requests denied, throttled, or from a caller who is not known."""

ANONYMOUS_READS = _mart(
    "anonymous_reads",
    _DAY,
    _HOUR,
    ("event_type", pa.string()),
    _INDEX,
    *_ORIGIN,
    ("reads", pa.int64()),
    ("hits", pa.int64()),
)
"""Searches and reads of the inventory by callers without a name."""

FIELDS = _mart("fields", _DAY, _INDEX, ("field", pa.string()), ("searches", pa.int64()), ("users", pa.int64()))
"""Fields that searches name, each once a search."""

MARTS = (SEARCHES, LATENCY, REFUSALS, ANONYMOUS_READS, FIELDS)


def day_events_sql(day: date) -> str:
    """The SELECT of a day's events, of which the marts are made as ``day_events``."""
    return _sql("day_events", day)


def mart_sql(mart: TableSpec, day: date) -> str:
    """The SELECT of a mart's rows of a day, over ``day_events``; columns as in the mart's schema."""
    return _sql(mart.name, day)


def _sql(name: str, day: date) -> str:
    text = (resources.files("lake.marts") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return text.replace("{day}", f"DATE '{day.isoformat()}'")
