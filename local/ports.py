"""Ports on loopback: free ones to choose, and taken ones to name."""

import socket
from contextlib import closing


def free(count: int) -> list[int]:
    """Free ports, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


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
