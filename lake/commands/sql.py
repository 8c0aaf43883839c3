"""`sql`: run an analyst's SELECT over the tables, without names."""

import argparse
import os
import re
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.settings import Settings
from lake.errors import LakeError
from lake.output import print_rows
from lake.sandbox import ANALYSTS_COLUMNS, MAX_STATEMENT_CHARACTERS, Sandbox
from lake.settings import LakeSettings
from lake.tables import Lake
from lake.trail import record_look

_FAILED = 1
_MIB = 1024 * 1024
_OTHERS_MIB = 512
"""Memory of Arrow, of threads and of the rows that are printed, which DuckDB does not count."""
_GRACE_SECONDS = 2.0
_MAX_LOOK_CHARACTERS = 4_096


class SqlSettings(Settings):
    """Bounds of a statement."""

    model_config = SettingsConfigDict(env_prefix="LAKE_SQL_")

    seconds: float = Field(default=60.0, gt=0, le=3_600, description="after so many seconds a statement is ended")
    memory_mib: int = Field(default=1024, ge=64, le=65_536, description="memory that a statement may take, in MiB")
    threads: int = Field(default=2, ge=1, le=64, description="threads that a statement runs on")
    rows: int = Field(default=10_000, ge=1, le=1_000_000, description="rows that are printed at most")


def main(arguments: Sequence[str]) -> int:
    """Print the rows of a SELECT; ended with status 1 once its time is over, whatever it does then."""
    parser = argparse.ArgumentParser(
        prog="python -m lake sql",
        description="Run a SELECT over the tables events, scores and mart_*, without names. Time, memory and "
        f"rows are bounded by LAKE_SQL_*. Columns of events: {', '.join(ANALYSTS_COLUMNS)}.",
    )
    parser.add_argument("statement", help="the statement; - reads it from standard input")
    parser.add_argument("--csv", action="store_true", help="print CSV")
    parser.add_argument(
        "--names",
        action="store_true",
        help="for auditors: all columns of events; this look is put on the audit trail, with the statement",
    )
    options = parser.parse_args(arguments)
    bounds, lake = SqlSettings.load(), Lake(LakeSettings.load())
    statement = sys.stdin.read(MAX_STATEMENT_CHARACTERS + 1) if options.statement == "-" else options.statement
    sandbox = Sandbox(lake, memory_mib=bounds.memory_mib, threads=bounds.threads, names=options.names)
    sandbox.check(statement)
    if options.names:
        record_look(f"SQL with names: {statement[:_MAX_LOOK_CHARACTERS]}")
    _bound(bounds)
    columns, rows = sandbox.run(statement, bounds.rows)
    try:
        print_rows(columns, rows[: bounds.rows], as_csv=options.csv)
    except MemoryError:
        raise LakeError("the rows take more memory than they may: see LAKE_SQL_MEMORY_MIB") from None
    if len(rows) > bounds.rows:
        print(f"lake: there are more than {bounds.rows} rows: see LAKE_SQL_ROWS", file=sys.stderr)
    return 0


def _bound(bounds: SqlSettings) -> None:
    """Bound this process's memory and time from here on."""
    (taken,) = re.findall(r"^VmData:\s*(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    limit = int(taken) * 1024 + (bounds.memory_mib + _OTHERS_MIB) * _MIB
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    watchdog = threading.Timer(bounds.seconds, _give_up, [bounds.seconds])
    watchdog.daemon = True
    watchdog.start()
    # The kernel needs no thread that gets its turn.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, bounds.seconds + _GRACE_SECONDS)


def _give_up(seconds: float) -> None:
    print(f"lake: the statement is ended, as it takes more than {seconds:g} s: see LAKE_SQL_SECONDS", file=sys.stderr)
    os._exit(_FAILED)
