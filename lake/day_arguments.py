"""Arguments that name days: ``--from`` and ``--to``."""

import argparse
from datetime import date

_MAX_DAYS = 3_700
_FIRST = date(1970, 1, 1)


def a_day(text: str) -> date:
    """Read an argument's day; argparse says which argument is wrong."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not _FIRST <= day < date.max:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2026-11-28")
    return day


def add_days(parser: argparse.ArgumentParser, default: str) -> None:
    """Add ``--from`` and ``--to``, as ``first`` and ``last`` of the options; None if they are not given.

    Args:
        parser: the command's.
        default: what is done without them, in words.
    """
    parser.add_argument("--from", dest="first", metavar="DAY", type=a_day, help=f"the first day, UTC ({default})")
    parser.add_argument("--to", dest="last", metavar="DAY", type=a_day, help="the last day (by default today)")


def named_days(parser: argparse.ArgumentParser, first: date, last: date) -> list[date]:
    """The days from one to another, both included; ends the program with status 2 if there are none, or too many."""
    if not first <= last:
        parser.error(f"--from {first} is after --to {last}")
    if (last - first).days >= _MAX_DAYS:
        parser.error(f"--from {first} --to {last}: more than {_MAX_DAYS} days")
    return [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
