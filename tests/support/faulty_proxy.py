"""An HTTP server between a client and the real server, which does what real servers do only when they are ill."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import urllib3

from tests.support.http_server import QuietHandler

_DRIP_SECONDS = 0.05


class FaultyProxy(ThreadingHTTPServer):  # pylint: disable=too-many-instance-attributes  # one a fault
    """Passes requests on, each after the fault that is next in line, if any.

    Attributes:
        url: where it listens.
        drops: how many of the next requests are answered by hanging up.
        garbled: how many of the next answers lose their last byte.
        drips: whether answers come a byte at a time, slowly.
        held: while it is not set, answers are held back.
        held_paths: with what the paths begin whose answers these are.
        requests: how many have come.
        targets: the paths, with their query strings, that were asked for.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.target = target
        self.drops = 0
        self.garbled = 0
        self.drips = False
        self.held = threading.Event()
        self.held.set()
        self.held_paths = ""
        self.requests = 0
        self.targets: list[str] = []


class _Handler(QuietHandler):
    server: FaultyProxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests += 1
        self.server.targets.append(self.path)
        if self.server.drops:
            self.server.drops -= 1
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.path.startswith(self.server.held_paths):
            self.server.held.wait()
        answer = urllib3.request(
            self.command, self.server.target + self.path, body=body, headers=dict(self.headers), retries=False
        )
        data = answer.data
        if self.server.garbled:
            self.server.garbled -= 1
            data = data[:-1]
        self.send_response(answer.status)
        for name in ("Content-Type", "X-Elastic-Product", "Retry-After"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            if self.server.drips:
                for byte in data:
                    self.wfile.write(bytes([byte]))
                    time.sleep(_DRIP_SECONDS)
            else:
                self.wfile.write(data)
        except OSError:
            pass  # The client has given up, as it should.

    do_GET = do_POST = do_DELETE = _pass_on


@contextmanager
def in_front_of(target: str) -> Iterator[FaultyProxy]:
    """Serve while the context lasts."""
    with FaultyProxy(target) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.held.set()
            server.shutdown()
            thread.join()
