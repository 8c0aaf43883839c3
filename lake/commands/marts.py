"""`marts`: make the marts of days again."""

import argparse
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta

from lake.day_arguments import a_day, add_days, named_days
from lake.marts.build import Progress, rebuild
from lake.marts.settings import MartSettings
from lake.tables import Lake


def main(arguments: Sequence[str]) -> int:
    """Make the marts of named days, or of yesterday, today and all days whose events changed since the last time."""
    parser = argparse.ArgumentParser(
        prog="python -m lake marts",
        description="Make the marts of days again, in the lake and in the database of LAKE_ANALYTICS_URL. Without "
        "arguments: those of yesterday and today (UTC), and of all days whose events changed since the last time.",
    )
    parser.add_argument("--day", type=a_day, help="one day")
    add_days(parser, "by default that of --to")
    parser.add_argument(
        "--engine", choices=("duckdb", "spark"), default="duckdb", help="what runs the queries (default: duckdb)"
    )
    options = parser.parse_args(arguments)
    by_spark = options.engine == "spark"
    if options.day and (options.first or options.last):
        parser.error("--day goes without --from and --to")
    today = datetime.now(UTC).date()
    settings = MartSettings.load()
    if options.day or options.first or options.last:
        last = options.day or options.last or today
        days: Collection[date] = named_days(parser, options.first or last, last)
        rebuild(settings, days, by_spark=by_spark)
    else:
        progress = Progress(Lake(settings))
        days = progress.touched_days() | {today - timedelta(days=1), today}
        rebuild(settings, days, by_spark=by_spark)
        # Not before the marts are there: what was not made is made the next time.
        progress.save()
    print(f"marts of {len(days)} day{'s' * (len(days) > 1)}, {min(days)} to {max(days)}")
    return 0
