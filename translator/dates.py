"""Dates as Elasticsearch's `strict_date_optional_time` reads them, and its date math.

A date stands for all of the time that it leaves open: `2024-05` is that month, `2024-05-03T10` that hour. Without a
zone it is in UTC.
"""

import re
from calendar import isleap, monthrange
from collections.abc import Collection
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta

FORMAT = "strict_date_optional_time"

_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?)?)?"
)
# Elasticsearch fails on years of more digits than these can make.
_MATH = re.compile(r"(now|(.+?)\|\|)((?:[+-][0-9]{1,6}[yMwdhHms])*)(?:/([yMwdhHms]))?")
_OPERATION = re.compile(r"([+-][0-9]+)([yMwdhHms])")
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "H": 3_600, "m": 60, "s": 1}
_NO_NANOS = "is outside what date_nanos holds, 1970-01-01 to 2262-04-11"
_ANY_CASE = re.compile(r"(?ai)now|(?<=[0-9])[tz]|(?<=[0-9/])[ywds](?![a-z])")
_DAYS = {"today": "now/d", "yesterday": "now-1d/d", "tomorrow": "now+1d/d"}
_SPAN = re.compile(r"([+-]?)([0-9]{1,6}[yMwdhHms])")
_TIMESTAMP = re.compile(r"[0-9]{10}|[0-9]{13}")
_USUAL_CASE = {"now": "now", "t": "T", "z": "Z", "y": "y", "w": "w", "d": "d", "s": "s"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS = 1_000_000_000
_MILLI = 1_000_000
_LAST = (int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds()) + 1) * _NANOS - 1
_LAST_NANOS = 2**63 - 1
"""The end of what `date_nanos` can hold: 2262-04-11T23:47:16.854775807Z."""


class NotADate(ValueError):
    """Invalid date; the message says what one looks like."""


class OutOfRange(ValueError):
    """The date is outside what the field's type holds; the message says what that is."""


@dataclass(frozen=True, slots=True)
class Period:
    """Span of time that a date stands for.

    Attributes:
        start: its first moment, as Elasticsearch reads it.
        after: the first moment behind it; None where `last` says more.
        last: its last moment, where none is behind that, or where that is its only one.
    """

    start: str
    after: str | None
    last: str | None = None


def period(text: str, types: Collection[str]) -> Period:
    """Read a date or date math.

    Args:
        text: such as `2024-05`, `2024-05-03T10:00:00+02:00`, `now-7d/d` or `2024-05-03||+1M`.
        types: of the field: `date`, which holds milliseconds, `date_nanos`, or both in different indices.

    Raises:
        NotADate: it is neither.
        OutOfRange: one of the types holds no such date.
    """
    nanoseconds = "date_nanos" in types
    text = _in_usual_case(text)
    # Elasticsearch has units of date math of a few letters; a longer text is not one.
    math = _MATH.fullmatch(text) if len(text) <= 256 and ("now" in text or "||" in text) else None
    if math is None:
        start, after = _bounds(text, nanoseconds)
        latest = _LAST_NANOS if nanoseconds else _LAST
        if after > latest:
            return Period(_written(start), None, _written(latest))
        # A field of milliseconds would take the first moment behind for one that is within; both understand the last.
        return (
            Period(_written(start), None, _written(after - 1))
            if len(types) > 1
            else Period(_written(start), _written(after))
        )
    anchor = None if math[1] == "now" else _bounds(math[2], nanoseconds)[0]
    if nanoseconds:
        _check_nanoseconds(anchor, math[3], math[4])
    moved = f"now{math[3]}" if anchor is None else f"{_written(anchor)}||{math[3]}"
    unit = math[4]
    if unit is None:
        return Period(moved, None, moved)
    # Elasticsearch rounds up to a unit's last millisecond, which is not its last nanosecond; down is exact.
    return Period(f"{moved}/{unit}", f"{moved}+1{unit}/{unit}")


def _in_usual_case(text: str) -> str:
    """The text with what has one reading in whatever letter case as Elasticsearch reads it; `M` and `m` have two."""
    return _ANY_CASE.sub(lambda letters: _USUAL_CASE[letters[0].lower()], text)


def _check_nanoseconds(anchor: int | None, operations: str, unit: str | None) -> None:
    """Refuse date math that leaves what `date_nanos` can hold, which Elasticsearch would answer with an error."""
    at = anchor if anchor is not None else (datetime.now(UTC) - _EPOCH) // timedelta(seconds=1) * _NANOS
    try:
        for sign_and_number, letter in _OPERATION.findall(operations):
            at = _moved(at, int(sign_and_number), letter)
        behind = at if unit is None else _moved(at, 1, unit)
    except OverflowError:
        raise OutOfRange(_NO_NANOS) from None
    if at < 0 or behind > _LAST_NANOS:
        raise OutOfRange(_NO_NANOS)


def _moved(nanoseconds: int, count: int, unit: str) -> int:
    if unit in _SECONDS:
        return nanoseconds + count * _SECONDS[unit] * _NANOS
    seconds, rest = divmod(nanoseconds, _NANOS)
    moment = _EPOCH + timedelta(seconds=seconds)
    year, month = divmod(moment.year * 12 + moment.month - 1 + count * (12 if unit == "y" else 1), 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError("a year beyond the calendar")
    day = min(moment.day, monthrange(year, month + 1)[1])
    return (moment.replace(year=year, month=month + 1, day=day) - _EPOCH) // timedelta(seconds=1) * _NANOS + rest


def _bounds(text: str, nanoseconds: bool) -> tuple[int, int]:
    """The first nanosecond since 1970 of the period, and the first behind it."""
    # pylint: disable=too-many-locals  # one name a group of the expression
    match = _DATE.fullmatch(text)
    if match is None:
        raise NotADate(f"is no date; write {_instead(text)}")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC) + _time(hour, minute, second, zone)
        length = _length(int(year), int(month or 0), [day, hour, minute, second])
    except ValueError:
        raise NotADate("is no date of the calendar") from None
    except OverflowError:
        raise OutOfRange("is outside the years 0001 to 9999") from None
    start = (moment - _EPOCH) // timedelta(seconds=1) * _NANOS
    if fraction:
        digits = fraction if nanoseconds else fraction[:3]
        length = 10 ** (9 - len(digits))
        start += int(digits) * length
    after = start + length
    if nanoseconds and (start < 0 or after - 1 > _LAST_NANOS):
        if after <= 0 or start > _LAST_NANOS:
            raise OutOfRange(_NO_NANOS)
        start = max(start, 0)
    return start, after


def _instead(text: str) -> str:
    """A date for what other languages have for one, or some dates as examples."""
    day = _DAYS.get(text.lower())
    if day is not None:
        return f"{day} for that day"
    if span := _SPAN.fullmatch(text):
        return f"now{span[1] or '-'}{span[2]} for a time from now"
    if _TIMESTAMP.fullmatch(text):
        moment = _EPOCH + timedelta(milliseconds=int(text) * (1 if len(text) == 13 else 1_000))
        written = moment.isoformat(timespec="milliseconds" if len(text) == 13 else "seconds").replace("+00:00", "Z")
        return f"a count since 1970 as {written}"
    return "one such as 2024-05-03, 2024-05, 2024-05-03T10:30:00Z or now-7d/d"


def _time(hour: str | None, minute: str | None, second: str | None, zone: str | None) -> timedelta:
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("no time of the day")
    offset = timedelta()
    if zone and zone != "Z":
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
        if offset > timedelta(hours=18) or int(digits[2:] or 0) > 59:
            raise ValueError("no offset of a zone")
        offset = -offset if zone[0] == "-" else offset
    return timedelta(hours=hours, minutes=minutes, seconds=seconds) - offset


def _length(year: int, month: int, smaller: list[str | None]) -> int:
    """Nanoseconds that a date leaves open, without a fraction.

    Args:
        year: of the date.
        month: of the date, 0 for none.
        smaller: day, hour, minute and second, as far as they are given.
    """
    given = len(smaller) - smaller.count(None)
    if given:
        return (86_400, 3_600, 60, 1)[given - 1] * _NANOS
    if not month:
        return (366 if isleap(year) else 365) * 86_400 * _NANOS
    return monthrange(year, month)[1] * 86_400 * _NANOS


def _written(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, _NANOS)
    moment = _EPOCH + timedelta(seconds=seconds)
    fraction = f"{rest:09d}" if rest % _MILLI else f"{rest // _MILLI:03d}"
    return f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}T{moment:%H:%M:%S}.{fraction}Z"


LAST_NANOSECOND = _written(_LAST_NANOS)
"""The last moment of `date_nanos`, as it is sent."""
