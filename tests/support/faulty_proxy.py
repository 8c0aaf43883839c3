"""An HTTP server between a client and the real server, which does what real servers do only when they are ill."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from http.server import ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import urllib3

from tests.support.http_server import QuietHandler

_DRIP_SECONDS = 0.05


_KEPT_HEADERS = ("Content-Type", "X-Elastic-Product", "Retry-After")
_ELASTICSEARCH = MappingProxyType({"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"})


class Reply(NamedTuple):
    """An answer; with status 0, its content comes alone, and then the end of the connection."""

    status: int
    content: bytes
    headers: Mapping[str, str] = _ELASTICSEARCH


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

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Pass a request on."""
        answer = urllib3.request(method, self.target + path, body=body, headers=headers, retries=False)
        kept = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
        return Reply(answer.status, answer.data, kept)


class _Handler(QuietHandler):
    server: FaultyProxy
    protocol_version = "HTTP/1.1"

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
        reply = self.server.ask(self.command, self.path, dict(self.headers), body)
        content = reply.content
        if self.server.garbled:
            self.server.garbled -= 1
            content = content[:-1]
        # The client may have given up, as it should.
        with suppress(OSError):
            self._send(reply._replace(content=content))

    def _send(self, reply: Reply) -> None:
        if reply.status == 0:
            self.wfile.write(reply.content)
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        # The answer to HEAD has the length of what GET would bring.
        if "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        if self.server.drips:
            for byte in reply.content:
                self.wfile.write(bytes([byte]))
                time.sleep(_DRIP_SECONDS)
        else:
            self.wfile.write(reply.content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _pass_on


Proxy = TypeVar("Proxy", bound=FaultyProxy)


@contextmanager
def serving(proxy: Proxy) -> Iterator[Proxy]:
    """Let a proxy serve while the context lasts."""
    with proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.held.set()
            proxy.shutdown()
            thread.join()


def in_front_of(target: str) -> AbstractContextManager[FaultyProxy]:
    """Serve in front of an address while the context lasts."""
    return serving(FaultyProxy(target))
