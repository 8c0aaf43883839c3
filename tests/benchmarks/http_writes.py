"""A load of writes: ``python -m tests.benchmarks.http_writes < pass``.

Like ``http_load``. Each connection has documents of its own, which it creates first and then replaces in turn, each by
``PUT`` with ``If-Match`` and the ETag of its last answer: no two connections write the same document, so that a
conflict is always spurious.
"""

import re
import select
import sys
import time
from dataclasses import asdict, dataclass, field

import msgspec
import orjson

from tests.benchmarks.http_load import LAST_ANSWER_SECONDS, Connection, percentile

_DOCUMENTS = 25
"""Of a connection."""
_ETAG = re.compile(rb'\r\netag: *("[^"\r]*")', re.IGNORECASE)
_CONFLICTS = {409, 412}


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass.

    Attributes:
        port: the server's, on loopback.
        path: of a document, without its id.
        authorization: the header.
        wrapper: member of the body that has the document; without it the body is the document.
        ids: what the documents' ids begin with; no other pass has it.
        connections: how many requests are under way at once.
        seconds: how long.
    """

    port: int
    path: str
    authorization: str
    wrapper: str | None
    ids: str
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of a pass: successful writes a second, their 99th percentile, refused and failed ones."""

    rps: float
    p99_ms: float
    conflicts: int
    errors: int


@dataclass(slots=True)
class _Writer:
    """A client, and the ETags of its documents."""

    asked: Pass
    number: int
    connection: Connection
    written: int = 0
    etags: list[bytes] = field(default_factory=list)

    def create(self) -> None:
        """Create its documents."""
        for number in range(_DOCUMENTS):
            self._send(number, b"If-None-Match: *")
            while not self.connection.is_answered():
                pass
            assert self._status == 201, self.connection.received
            self.etags.append(self._etag())

    def write(self) -> None:
        """Send the next replacement."""
        self._send(self._current, b"If-Match: " + self.etags[self._current])

    def take(self) -> int:
        """Take the answer's ETag; gives its status."""
        status = self._status
        if status == 200:
            self.etags[self._current] = self._etag()
        self.written += 1
        return status

    @property
    def _status(self) -> int:
        return int(self.connection.received[9:12])

    @property
    def _current(self) -> int:
        return self.written % _DOCUMENTS

    def _etag(self) -> bytes:
        found = _ETAG.search(self.connection.received)
        assert found is not None, self.connection.received
        return found[1]

    def _send(self, number: int, precondition: bytes) -> None:
        document_id = f"{self.asked.ids}-{self.number}-{number}"
        document = {"sku": document_id, "name": f"Saw of {self.number}", "price": self.written + 1, "brand": "Acme"}
        body = orjson.dumps(document if self.asked.wrapper is None else {self.asked.wrapper: document})
        head = (
            f"PUT {self.asked.path}{document_id} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Authorization: {self.asked.authorization}\r\nContent-Length: {len(body)}\r\n"
        )
        self.connection.send(head.encode() + precondition + b"\r\n\r\n" + body)


def run(asked: Pass) -> Result:
    """Write until the time is over."""
    # By one connection, as a server closes those that send nothing for a while.
    first = Connection(asked.port)
    writers = [_Writer(asked, number, first) for number in range(asked.connections)]
    for writer in writers:
        writer.create()
    for writer in writers:
        writer.connection = Connection(asked.port)
    poll = select.epoll()
    by_number = {writer.connection.socket.fileno(): writer for writer in writers}
    latencies: list[float] = []
    conflicts = errors = 0
    for number, writer in by_number.items():
        poll.register(number, select.EPOLLIN)
        writer.write()
    start = now = time.perf_counter()
    while now - start < asked.seconds:
        for number, _ in poll.poll(LAST_ANSWER_SECONDS):
            writer = by_number[number]
            if writer.connection.is_answered():
                now = time.perf_counter()
                status = writer.take()
                if status == 200:
                    latencies.append(now - writer.connection.sent_at)
                elif status in _CONFLICTS:
                    conflicts += 1
                else:
                    errors += 1
                writer.write()
    latencies.sort()
    return Result(len(latencies) / (now - start), percentile(latencies, 0.99), conflicts, errors)


if __name__ == "__main__":
    result = run(msgspec.json.decode(sys.stdin.buffer.read(), type=Pass))
    sys.stdout.write(orjson.dumps(asdict(result)).decode())
