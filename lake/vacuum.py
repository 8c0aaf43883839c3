"""Deletion of files that are no part of a table any more."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from lake.files import all_files, filesystem
from lake.registry import ALL
from lake.tables import Lake, TableSpec

_LOG = "_delta_log/"
_HALF = "#"
"""In the name of a file that delta-rs was still writing, which its own vacuum does not see."""


def vacuum(lake: Lake, hours: int) -> dict[str, int]:
    """Delete the files that left their table so long ago, and as old ones of commits that were never made.

    Args:
        lake: the tables.
        hours: how long a file is kept for readers of older versions; and for writers, between file and commit.

    Returns:
        How many files were deleted, by table.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read, or its files cannot be deleted.
        OSError: likewise.
    """
    before = datetime.now(UTC) - timedelta(hours=hours)
    deleted = {}
    for spec in ALL:
        if lake.exists(spec):
            left = lake.open(spec).vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
            deleted[spec.name] = len(left) + _delete(lake, spec, before, only=_HALF)
    return deleted


def vacuum_now(lake: Lake, spec: TableSpec, before: datetime) -> int:
    """Delete the files that are no part of a table, without any retention; readers of older versions fail.

    Args:
        lake: the tables.
        spec: the table.
        before: files written since then stay, as a writer that has started meanwhile may be about to commit them.

    Returns:
        How many files were deleted.

    Raises:
        deltalake.exceptions.DeltaError: the table cannot be read.
        OSError: its files cannot be deleted.
    """
    return _delete(lake, spec, before, only="")


def _delete(lake: Lake, spec: TableSpec, before: datetime, only: str) -> int:
    files = filesystem(lake, spec)
    live = set(pa.table(lake.open(spec).get_add_actions())["path"].to_pylist())
    old = [
        each.path
        for each in all_files(files)
        if only in each.path and each.path not in live and not each.path.startswith(_LOG) and each.mtime < before
    ]
    for path in old:
        files.delete_file(path)
    return len(old)
