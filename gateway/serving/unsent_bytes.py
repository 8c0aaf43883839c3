"""Bound on the bytes that the kernel holds for a client that reads slowly.

Why: the kernel takes megabytes for a connection, and wants a third of them gone before it takes more. A client of
15 KB/s would look for minutes as if it took nothing. With ``TCP_NOTSENT_LOWAT`` (tcp(7)) the kernel takes the bytes
that are on their way and 128 KiB, and takes more once half of these are gone. Fast connections are not slowed: bytes on
their way do not count. Accepted connections inherit the option from the socket that listens; granian makes that socket
out of reach, so it is looked for among the files of the process.
"""

import os
import socket
import stat
from contextlib import suppress

MAX_UNSENT_BYTES = 128 * 1024

_FILES = "/proc/self/fd"


def bound_unsent_bytes(port: int) -> None:
    """Bound them for every TCP socket of this process at a port; does nothing where there is no ``/proc``.

    Args:
        port: the port that the server listens on.
    """
    for name in os.listdir(_FILES) if os.path.isdir(_FILES) else []:
        # A file that was open a moment ago, such as the folder itself, may be closed by now.
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                _bound(int(name), port)


def _bound(number: int, port: int) -> None:
    with socket.socket(fileno=os.dup(number)) as found:
        if found.family in (socket.AF_INET, socket.AF_INET6) and found.getsockname()[1] == port:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)
