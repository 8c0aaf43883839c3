"""`vacuum`: delete files that are no part of a table any more."""

import argparse
from collections.abc import Sequence

from lake import lineage
from lake.maintenance import MaintenanceSettings, alone
from lake.registry import ALL
from lake.tables import Lake
from lake.vacuum import vacuum


def main(arguments: Sequence[str]) -> int:
    """Delete the files that left their tables longer ago than LAKE_VACUUM_HOURS; prints how many, by table."""
    argparse.ArgumentParser(
        prog="python -m lake vacuum",
        description="Delete the files that left their tables longer ago than LAKE_VACUUM_HOURS. For a daily job.",
    ).parse_args(arguments)
    settings = MaintenanceSettings.load()
    with alone(settings), lineage.run(settings, "vacuum", ALL, ALL):
        deleted = vacuum(Lake(settings), settings.vacuum_hours)
    for name, count in deleted.items():
        print(f"{name}  {count}")
    print(f"deleted {sum(deleted.values())} files")
    return 0
