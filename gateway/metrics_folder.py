"""The folder by which the worker processes of one start share their metrics."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "gateway-metrics-"


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
