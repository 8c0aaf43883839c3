"""A load generator: ``python -m tests.benchmarks.http_load PORT CONNECTIONS SECONDS REQUESTS < requests``.

It shares the machine with what it measures, so it does as little as it can: a process of one thread, raw sockets, bytes
made beforehand. Each connection stays open and sends its next request as soon as its answer is there. The requests come
as JSON, an array of text; the result goes to standard output as JSON.
"""

import select
import socket
import sys
import time
from dataclasses import asdict, dataclass
from itertools import cycle

import orjson

_CHUNK = 262_144
_LENGTH = b"content-length: "
# Of an answer without an announced length; no JSON has a line break like these.
_LAST_CHUNK = b"\r\n0\r\n\r\n"
LAST_ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of a pass; latencies in milliseconds, of the answers with status 200 alone."""

    rps: float
    p50_ms: float
    p99_ms: float
    errors: int
    answers: int


class Connection:
    """One kept connection with one request under way, and what was received of its answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LAST_ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.received = b""
        self._length = 0

    def send(self, request: bytes) -> None:
        """Send the next request."""
        self.received, self._length = b"", 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def is_answered(self) -> bool:
        """Take what has come, and tell whether the answer is whole."""
        chunk = self.socket.recv(_CHUNK)
        assert chunk, f"the server closed the connection after {self.received[:200]!r}"
        self.received += chunk
        if not self._length:
            head, end, _ = self.received.partition(b"\r\n\r\n")
            if not end:
                return False
            _, announced, length = head.lower().partition(_LENGTH)
            if not announced:
                return self.received.endswith(_LAST_CHUNK)
            self._length = len(head) + len(end) + int(length.partition(b"\r\n")[0])
        return len(self.received) >= self._length

    @property
    def is_ok(self) -> bool:
        """Whether the answer is a success."""
        return self.received.startswith(b"HTTP/1.1 200 ")


def load(port: int, connections: int, seconds: float, most: int, requests: list[bytes]) -> Result:
    """Send requests in rotation until a time is over or so many are answered.

    Args:
        port: the server's, on loopback.
        connections: how many requests are under way at once.
        seconds: how long.
        most: after how many answers to stop before that.
        requests: whole HTTP/1.1 requests.
    """
    following = cycle(requests)
    poll = select.epoll()
    by_number = {each.socket.fileno(): each for each in (Connection(port) for _ in range(connections))}
    latencies: list[float] = []
    errors = 0
    for number, connection in by_number.items():
        poll.register(number, select.EPOLLIN)
        connection.send(next(following))
    start = now = time.perf_counter()
    while now - start < seconds and len(latencies) + errors < most:
        for number, _ in poll.poll(LAST_ANSWER_SECONDS):
            connection = by_number[number]
            if connection.is_answered():
                now = time.perf_counter()
                if connection.is_ok:
                    latencies.append(now - connection.sent_at)
                else:
                    errors += 1
                connection.send(next(following))
    latencies.sort()
    answers = len(latencies)
    return Result(
        rps=answers / (now - start),
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
        errors=errors,
        answers=answers,
    )


def percentile(ordered: list[float], share: float) -> float:
    """Percentile of ordered seconds in milliseconds, by the nearest rank; 0 of nothing."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


def main(port: str, connections: str, seconds: str, most: str) -> None:
    """Run one pass."""
    requests = [text.encode() for text in orjson.loads(sys.stdin.buffer.read())]
    result = load(int(port), int(connections), float(seconds), int(most), requests)
    sys.stdout.write(orjson.dumps(asdict(result)).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
