"""Dates and what they leave open."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translator.dates import NotADate, OutOfRange, Period, period

_MILLIS = ("date",)
_NANOS = ("date_nanos",)
_BOTH = ("date", "date_nanos")


@pytest.mark.parametrize(
    ("text", "start", "after"),
    [
        ("2024", "2024-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
        ("2023", "2023-01-01T00:00:00.000Z", "2024-01-01T00:00:00.000Z"),
        ("2024-02", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
        ("2024-12", "2024-12-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
        ("2024-05-03T10", "2024-05-03T10:00:00.000Z", "2024-05-03T11:00:00.000Z"),
        ("2024-05-03T10:59", "2024-05-03T10:59:00.000Z", "2024-05-03T11:00:00.000Z"),
        ("2024-05-03T23:59:59", "2024-05-03T23:59:59.000Z", "2024-05-04T00:00:00.000Z"),
        ("2024-05-03T10:00:00.5Z", "2024-05-03T10:00:00.500Z", "2024-05-03T10:00:00.600Z"),
        ("2024-05-03T10:00:00,123", "2024-05-03T10:00:00.123Z", "2024-05-03T10:00:00.124Z"),
        ("2024-05-03T10:00:00.123456Z", "2024-05-03T10:00:00.123Z", "2024-05-03T10:00:00.124Z"),
        ("2024-05-03T01:30+02:00", "2024-05-02T23:30:00.000Z", "2024-05-02T23:31:00.000Z"),
        ("2024-05-03T01:30-0530", "2024-05-03T07:00:00.000Z", "2024-05-03T07:01:00.000Z"),
        ("2024-05-03T01+02", "2024-05-02T23:00:00.000Z", "2024-05-03T00:00:00.000Z"),
        ("0001-01-01", "0001-01-01T00:00:00.000Z", "0001-01-02T00:00:00.000Z"),
    ],
)
def test_a_date_stands_for_all_that_it_leaves_open(text: str, start: str, after: str) -> None:
    assert period(text, _MILLIS) == Period(start, after)


def test_the_end_of_the_calendar_has_nothing_behind_it() -> None:
    expected = Period("9999-01-01T00:00:00.000Z", None, "9999-12-31T23:59:59.999999999Z")
    assert period("9999", _MILLIS) == expected


def test_nanoseconds_are_kept_where_the_field_has_them() -> None:
    expected = Period("2024-05-03T10:00:00.123456789Z", "2024-05-03T10:00:00.123456790Z")
    assert period("2024-05-03T10:00:00.123456789Z", _NANOS) == expected


@pytest.mark.parametrize("text", ["now", "now-7d", "now+1M-2w"])
def test_date_math_that_does_not_round_is_a_moment(text: str) -> None:
    assert period(text, _MILLIS) == Period(text, None, text)


@pytest.mark.parametrize(
    ("text", "start", "after"),
    [
        ("now/y", "now/y", "now+1y/y"),
        ("now+1M-2w/h", "now+1M-2w/h", "now+1M-2w+1h/h"),
        ("2024-05||+1M/d", "2024-05-01T00:00:00.000Z||+1M/d", "2024-05-01T00:00:00.000Z||+1M+1d/d"),
    ],
)
def test_date_math_that_rounds_is_all_of_the_unit(text: str, start: str, after: str) -> None:
    assert period(text, _NANOS) == Period(start, after)


def test_no_nanosecond_follows_the_last_one() -> None:
    last = "2262-04-11T23:47:16.854775807Z"
    assert period(last, _NANOS) == Period(last, None, last)
    assert period("2262-04", _NANOS) == Period("2262-04-01T00:00:00.000Z", None, last)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "x",
            "1700000000000",
            "24-05-03",
            "2024-5-3",
            "2024-05-03 10:00",
            "2024/05/03",
            "2024-05-03T",
            "nowish",
            "now-",
        ],
        *["2023-02-29", "2024-13", "2024-00", "2024-05-32", "2024-05-03T24", "2024-05-03T10:60", "2024-05-03T10+19:00"],
        *[
            "now-7x",
            "now-7d/",
            "||+1d",
            "x||+1d",
            "２０２４",
            "now" + "+1d" * 1_000,
            "now+1000000y",
            "0000",
            "2024-05-03Z",
        ],
    ],
)
def test_text_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(NotADate):
        period(text, _MILLIS)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1969", True),
        ("2263", True),
        ("2262-04-12", True),
        ("0001-01-01T00+01:00", False),
        ("9999-12-31T23-01:00", False),
        ("now-100y", True),
        ("now-1200M/M", True),
        ("now+999999y", True),
        ("now+999999w", True),
        ("2262-04||+1M", True),
        ("2262||/y", True),
    ],
)
def test_a_date_that_the_type_cannot_hold_is_refused(text: str, nanoseconds: bool) -> None:
    with pytest.raises(OutOfRange):
        period(text, _NANOS if nanoseconds else _MILLIS)


def test_date_math_may_leave_the_range_and_come_back() -> None:
    assert period("now-100y+99y", _NANOS).start == "now-100y+99y"
    assert period("2024-01-31||+1M", _NANOS).start == "2024-01-31T00:00:00.000Z||+1M"


def test_over_fields_of_milliseconds_and_of_nanoseconds_the_last_moment_within_is_what_both_understand() -> None:
    expected = Period("2024-05-01T00:00:00.000Z", None, "2024-05-31T23:59:59.999999999Z")
    assert period("2024-05", _BOTH) == expected
    with pytest.raises(OutOfRange):
        period("1969", _BOTH)


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        ("NOW", "now"),
        ("Now-7D/D", "now-7d/d"),
        ("NOW-1M/M", "now-1M/M"),
        ("now-1m/m", "now-1m/m"),
        ("NOW+2Y-1W/S", "now+2y-1w/s"),
        ("2024-05-03t10:30:00z", "2024-05-03T10:30:00Z"),
        ("2024-05-03||+1M/D", "2024-05-03||+1M/d"),
    ],
)
def test_letter_case_does_not_count_where_only_one_reading_exists(text: str, usual: str) -> None:
    assert period(text, _MILLIS) == period(usual, _MILLIS)


@given(st.datetimes(max_value=datetime(9999, 12, 30)))
def test_every_day_begins_where_the_day_before_ends(moment: datetime) -> None:
    day = moment.date()
    following = (moment.replace(tzinfo=UTC) + timedelta(days=1)).date()
    assert period(day.isoformat(), _MILLIS).after == period(following.isoformat(), _MILLIS).start


@given(st.text())
def test_any_text_is_a_date_or_is_refused(text: str) -> None:
    try:
        period(text, _MILLIS)
    except (NotADate, OutOfRange) as error:
        assert str(error)
