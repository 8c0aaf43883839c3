"""A server of a test's own, for answers that the real ones do not give when asked."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Stay quiet."""


class ElasticsearchHandler(QuietHandler):
    """A handler whose answers a client takes for Elasticsearch's."""

    def answer(self, body: object, status: int = 200) -> None:
        """Answer with JSON."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], *, threads: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve while the context lasts, one connection at a time or each in a thread of its own; gives the address."""
    with (ThreadingHTTPServer if threads else HTTPServer)(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
