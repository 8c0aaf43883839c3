"""`compact`: write each closed hour again as one sorted file, with one row an event."""

import argparse
from collections.abc import Sequence
from datetime import timedelta

from lake import lineage
from lake.compaction import compact
from lake.maintenance import MaintenanceSettings, alone
from lake.tables import EVENTS, REJECTED, Lake


def main(arguments: Sequence[str]) -> int:
    """Compact the hours that are closed and need it; prints each."""
    argparse.ArgumentParser(
        prog="python -m lake compact",
        description="Write each closed hour again as one sorted file, with one row an event. For an hourly job.",
    ).parse_args(arguments)
    settings = MaintenanceSettings.load()
    lake = Lake(settings)
    with alone(settings), lineage.run(settings, "compact", [EVENTS, REJECTED], [EVENTS, REJECTED]):
        count = 0
        for hour in compact(lake, timedelta(hours=settings.close_after_hours)):
            count += 1
            print(
                f"{hour.table}  {hour.name}  {hour.rows_before} rows in {hour.bytes_before} bytes -> "
                f"{hour.rows} rows in {hour.bytes} bytes",
                flush=True,
            )
    print(f"compacted {count} files")
    return 0
