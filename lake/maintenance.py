"""Settings of the commands that look after the tables, and the lock that lets one of them run at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field

from lake.errors import LakeError
from lake.settings import LakeSettings

_LOCK = ".maintenance.lock"


class MaintenanceSettings(LakeSettings):
    """When hours close, and how long files are kept that are no longer part of a table."""

    close_after_hours: float = Field(
        default=2.0, ge=0, le=168, description="hours after its end at which an hour is closed, and can be compacted"
    )
    vacuum_hours: int = Field(
        default=168,
        ge=24,
        le=8_760,
        description="hours for which files are kept that are no longer part of a table: for as long a reader may take, "
        "and a writer between its file and its commit",
    )


@contextmanager
def alone(settings: LakeSettings) -> Iterator[None]:
    """Hold the lock of the lake's folder, which the system releases when the process ends.

    Between commands on a bucket there is none. There the commits exclude each other, too; but before an erasure the
    other jobs have to be suspended, because one that is killed could leave a file with what was erased.

    Raises:
        LakeError: another command has it.
        OSError: the folder cannot be written.
    """
    if settings.is_bucket:
        yield
        return
    folder = Path(settings.url)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LakeError(
                f"{folder}: another command looks after these tables; run this again once it has ended"
            ) from None
        yield
