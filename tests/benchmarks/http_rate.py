"""Requests a second that a server answers on connections that stay open.

The load generator shares the machine with the server, so it does as little as it can: raw sockets in one thread, the
same bytes for every request, and of an answer it looks at the status and the length alone.
"""

import select
import socket
import time

_SECONDS = 0.15
_LARGEST_ANSWER = 65_536


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """The bytes of an HTTP/1.1 request, which keeps its connection open."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


def answers_per_second(port: int, sent: bytes, connections: int) -> float:
    """Send a request again and again for a moment, on each connection as soon as the last answer is there.

    Args:
        port: the server's, on loopback.
        sent: a request whose answers all have one length.
        connections: how many requests are under way at once.

    Raises:
        AssertionError: an answer is not a 200, or not of the first one's length.
    """
    sockets = [_connected(port) for _ in range(connections)]
    by_number = {each.fileno(): each for each in sockets}
    missing: dict[int, int] = {}
    poll = select.epoll()
    try:
        length = _answer_length(sockets[0], sent)
        for number, each in by_number.items():
            poll.register(number, select.EPOLLIN)
            missing[number] = length
            each.send(sent)
        answers = 0
        start = now = time.perf_counter()
        while now - start < _SECONDS:
            for number, _ in poll.poll(1.0):
                each = by_number[number]
                received = each.recv(_LARGEST_ANSWER)
                if missing[number] == length:
                    assert received.startswith(b"HTTP/1.1 200 "), received
                missing[number] -= len(received)
                assert received and missing[number] >= 0
                if not missing[number]:
                    missing[number] = length
                    answers += 1
                    each.send(sent)
            now = time.perf_counter()
        return answers / (now - start)
    finally:
        poll.close()
        for each in sockets:
            each.close()


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _answer_length(connection: socket.socket, sent: bytes) -> int:
    connection.sendall(sent)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    expected = int(fields[b"content-length"])
    while len(body) < expected:
        body += _more(connection)
    return len(head) + 4 + expected


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(_LARGEST_ANSWER)
    assert received, "the server closed the connection"
    return received
