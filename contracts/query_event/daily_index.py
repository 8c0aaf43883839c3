"""Day of an event, and the name of its daily index."""

from datetime import date, timedelta
from functools import lru_cache

MAX_DAYS_EARLY = 7
"""An event may have waited in a producer's spool this long before Kafka had it."""

MAX_DAYS_LATE = 1
"""A producer's clock may be this far ahead of the broker's."""

_MS_PER_DAY = 86_400_000
_EPOCH = date(1970, 1, 1)


def event_day(event_timestamp: str, kafka_timestamp_ms: int) -> date:
    """The day of an event: that of its own time, unless that is absurd.

    An event whose own day lies outside a window around the day on which Kafka had it goes to Kafka's day, so that a bad
    clock cannot create a thousand indices. Both times stay with the record for ever, so that reading it again, however
    much later, gives the same day; the reader's clock would not. Only an event that reaches Kafka twice, on different
    days and after more than a week, has two days under one id.

    Args:
        event_timestamp: the event's own time, RFC 3339 in UTC.
        kafka_timestamp_ms: the record's LogAppendTime, milliseconds since 1970.
    """
    return _day(event_timestamp[:10], kafka_timestamp_ms // _MS_PER_DAY)


def daily_index(prefix: str, event_timestamp: str, kafka_timestamp_ms: int) -> str:
    """Name the index of an event, by its day.

    Args:
        prefix: what the name starts with, such as ``query-logs-``.
        event_timestamp: as ``event_day`` takes it.
        kafka_timestamp_ms: likewise.
    """
    return prefix + _written(event_day(event_timestamp, kafka_timestamp_ms))


@lru_cache(maxsize=1024)
def _written(day: date) -> str:
    return day.strftime("%Y.%m.%d")


@lru_cache(maxsize=1024)
def _day(own: str, kafka_days_since_1970: int) -> date:
    try:
        kafka_day = _EPOCH + timedelta(days=kafka_days_since_1970)
    except OverflowError:  # a topic without LogAppendTime takes a producer's word for any time
        kafka_day = _EPOCH
    try:
        own_day = date.fromisoformat(own)
    except ValueError:  # such as 30 February
        own_day = None
    inside = own_day is not None and -MAX_DAYS_EARLY <= (own_day - kafka_day).days <= MAX_DAYS_LATE
    return own_day if inside and own_day is not None else kafka_day
