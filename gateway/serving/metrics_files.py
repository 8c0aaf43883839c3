"""Folder in which the worker processes of one start share their metrics.

Why: the folder is locked by flock(2), so a start can remove the folders of killed gateways: those without a lock.
Process ids in names are wrong across containers, and a fixed folder would be shared by two gateways. Files are
allocated whole (``posix_fallocate``), because the library's sparse ones kill a worker by SIGBUS when the file system is
full; without room, the start ends with status 2. SIGBUS cannot be caught in Python, and running without metrics would
silence alarms.
"""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "gateway-metrics-"
_BYTES = {
    # Every route with fifteen different statuses takes 3 MB.
    "histogram": 4 * 1024 * 1024,
    "counter": 64 * 1024,
    "gauge_livesum": 64 * 1024,
    "gauge_livemax": 64 * 1024,
    "gauge_max": 64 * 1024,
}
"""The sizes of a process's files, by the kinds of metrics that there are."""


@contextmanager
def metrics_folder() -> Iterator[Path]:
    """Make the folder, for as long as the block lasts, and remove those that killed gateways have left.

    A lock (flock(2)) tells them from others': each process that is forked meanwhile has it too, and it ends with the
    last of them. systemd-tmpfiles(8), which removes what is old, leaves a locked folder alone.

    Raises:
        OSError: there is no room for one.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is in use, somebody else's, or has just been removed
            lock = _lock(left)
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    # It has its name once it is locked, so that no other start takes it for one that was left.
    unnamed = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}"))
    lock = _lock(unnamed)
    folder = unnamed.rename(unnamed.with_name(unnamed.name.removeprefix(".")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def allocate(folder: Path, process: int) -> None:
    """Make the files of a process with all their blocks, before prometheus_client makes them.

    That would make them sparse, and writes by mmap(2): where the file system turns out to be full, the process gets
    SIGBUS. It takes a file that is there for as large as it is.

    Args:
        folder: the folder.
        process: its id.

    Raises:
        OSError: there is no room for them.
    """
    for kind, length in _BYTES.items():
        with (folder / f"{kind}_{process}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, length)


def give_back(folder: Path, process: int) -> None:
    """Keep of a process's files what it has written, once it has ended: what it counted goes on being told."""
    for kind in _BYTES:
        with suppress(FileNotFoundError), (folder / f"{kind}_{process}.db").open("r+b") as file:
            # How much is in use stands first, or nothing does, if nothing is.
            file.truncate(max(8, int.from_bytes(file.read(4), sys.byteorder)))


def require_room(folder: Path, processes: int) -> None:
    """Look whether as many processes could ``allocate`` their files.

    Raises:
        OSError: they could not.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        for number in range(processes):
            os.posix_fallocate(file.fileno(), number * sum(_BYTES.values()), sum(_BYTES.values()))


def _lock(folder: Path) -> int:
    """Lock a folder of this user's.

    Raises:
        OSError: that cannot be, or another process has it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError(folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
