"""Ports on loopback: free ones to choose, and taken ones to name."""

import os
import socket
from contextlib import closing
from itertools import count, islice

_FIRST, _END = 11_000, 32_768
"""Browsers refuse some ports below them, and systems give those behind to outgoing connections: 32768 and up on Linux,
49152 and up on macOS."""

# Counted on, so that a port that was given away is not found again before it is used; processes that were started one
# after the other begin a thousand apart.
_places = count(os.getpid() * 997)


def free(wanted: int) -> list[int]:
    """Free ports, all different; none that an outgoing connection could take before a server listens there."""
    return list(islice((port for port in map(_port, _places) if not in_use(port)), wanted))


def _port(place: int) -> int:
    return _FIRST + place % (_END - _FIRST)


def in_use(port: int) -> bool:
    """Whether a server could not listen on the port now."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with closing(socket.socket()) as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
