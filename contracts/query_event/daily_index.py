"""Name of an event's daily index."""

from datetime import date, timedelta
from functools import lru_cache

MAX_DAYS_EARLY = 7
"""An event may have waited in a producer's spool this long before Kafka had it."""

MAX_DAYS_LATE = 1
"""A producer's clock may be this far ahead of the broker's."""

_MS_PER_DAY = 86_400_000
_EPOCH = date(1970, 1, 1)


def daily_index(prefix: str, event_timestamp: str, kafka_timestamp_ms: int) -> str:
    """Name the index of an event: the day of its own time, unless that is absurd.

    An event whose own day lies outside a window around the day on which Kafka had it goes to Kafka's day, so that a bad
    clock cannot create a thousand indices. Both times stay with the record for ever, so that reading it again, however
    much later, names the same index; the sink's clock would not. Only an event that reaches Kafka twice, on different
    days and after more than a week, is in two indices, under one id.

    Args:
        prefix: what the name starts with, such as ``query-logs-``.
        event_timestamp: the event's own time, RFC 3339 in UTC.
        kafka_timestamp_ms: the record's LogAppendTime, milliseconds since 1970.
    """
    return prefix + _day(event_timestamp[:10], kafka_timestamp_ms // _MS_PER_DAY)


@lru_cache(maxsize=1024)
def _day(event_day: str, kafka_days_since_1970: int) -> str:
    try:
        kafka_day = _EPOCH + timedelta(days=kafka_days_since_1970)
    except OverflowError:  # a topic without LogAppendTime takes a producer's word for any time
        kafka_day = _EPOCH
    try:
        own_day = date.fromisoformat(event_day)
    except ValueError:  # such as 30 February
        own_day = None
    inside = own_day is not None and -MAX_DAYS_EARLY <= (own_day - kafka_day).days <= MAX_DAYS_LATE
    return (own_day if inside and own_day is not None else kafka_day).strftime("%Y.%m.%d")
