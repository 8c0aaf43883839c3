"""`report`: print who searched what."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import duckdb

from lake.day_arguments import add_days, named_days
from lake.errors import LakeError, one_line
from lake.output import print_rows
from lake.report import GROUPS, report
from lake.settings import LakeSettings
from lake.tables import Lake
from lake.trail import record_look

_MAX_ROWS = 100_000


def main(arguments: Sequence[str]) -> int:
    """Print the searches of the last seven days by user, index and shape, or as the arguments say."""
    parser = argparse.ArgumentParser(
        prog="python -m lake report",
        description="Print how often was searched, how many rows that found, and how many milliseconds it took, most "
        "searches first. Users are keys, except with --names.",
    )
    add_days(parser, "by default six days before that of --to")
    parser.add_argument(
        "--by",
        metavar="LIST",
        type=_groups,
        default=("user", "index", "shape"),
        help=f"what is told apart, with commas between, of {', '.join(GROUPS)} (default: user,index,shape)",
    )
    parser.add_argument("--limit", metavar="ROWS", type=_limit, default=100, help="at most so many rows (default: 100)")
    parser.add_argument("--csv", action="store_true", help="print CSV")
    parser.add_argument(
        "--names", action="store_true", help="for auditors: names beside keys; this look is put on the audit trail"
    )
    options = parser.parse_args(arguments)
    if options.names and "user" not in options.by:
        parser.error("--names goes with --by user")
    last = options.last or datetime.now(UTC).date()
    days = named_days(parser, options.first or last - timedelta(days=6), last)
    lake = Lake(LakeSettings.load())
    if options.names:
        record_look(f"report with names: {days[0]} to {days[-1]}, by {', '.join(options.by)}, {options.limit} rows")
    try:
        made = report(lake, days, options.by, options.limit, names=options.names)
    except duckdb.Error as error:
        raise LakeError(f"the searches of {days[0]} to {days[-1]} cannot be added up: {one_line(error)}") from None
    print_rows(made.columns, made.rows, as_csv=options.csv)
    if made.is_cut:
        print(f"lake: there are more than {options.limit} rows: see --limit", file=sys.stderr)
    return 0


def _groups(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in GROUPS:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(GROUPS)}")
    return names


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MAX_ROWS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {_MAX_ROWS}")
    return int(text)
