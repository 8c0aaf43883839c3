"""Checks before anything is started: the folder is ours alone, the ports are free, the disk has room."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import ports
from local.errors import StackError

# Archives, a new Kafka log (segments are laid out in advance) and Elasticsearch's translog, with some air.
ROOM_BYTES = 1_000_000_000

# Below this the servers are stopped while they can still write what they have to.
RESERVE_BYTES = 100_000_000


@contextmanager
def exclusive(home: Path) -> Iterator[None]:
    """Hold the folder for this process while the context lasts.

    Raises:
        StackError: another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"Sluice already runs on {home}; stop that one first (Ctrl-C where it runs)") from None
        yield


def check_ports(taken_by: dict[str, int]) -> None:
    """Raise a StackError that names the first port (by its variable) that is not free."""
    for variable, port in taken_by.items():
        if ports.in_use(port):
            raise StackError(f"port {port} is in use; stop what listens there, or set {variable} to another port")


def check_room(folder: Path, needed: int = ROOM_BYTES) -> None:
    """Raise a StackError if the folder's disk has fewer than ``needed`` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StackError(
            f"the disk of {folder} is full: {free // 1_000_000} MB are free and the stack needs "
            f"{needed // 1_000_000} MB; make room, or set LOCAL_HOME to a folder on another disk"
        )
