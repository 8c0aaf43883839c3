"""HTTP server for ``/metrics`` (Prometheus), ``/healthz`` (the loop turns) and ``/readyz`` (each dependency)."""

import logging
import socket
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

logger = logging.getLogger(__name__)

_STUCK_SECONDS = 60.0
_REQUEST_SECONDS = 10.0


class Served(Protocol):
    """A process that turns in a loop."""

    @property
    def last_turn(self) -> float:
        """Time of the loop's last turn, by ``time.monotonic``."""

    def dependencies(self) -> Mapping[str, str | None]:
        """Reason why each dependency is not ready, or None; from any thread, within seconds."""


def serve_health(served: Served, name: str, host: str, port: int) -> None:
    """Answer in threads of their own until the process ends.

    Args:
        served: the process.
        name: of the service.
        host: where to listen.
        port: where to listen.

    Raises:
        OSError: the address cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        """Answers GET for one process."""

        timeout = _REQUEST_SECONDS
        server_version = name
        sys_version = ""

        def do_GET(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
            """Answer one request."""
            match self.path.partition("?")[0]:
                case "/metrics":
                    self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
                case "/healthz":
                    age = time.monotonic() - served.last_turn
                    healthy = age < _STUCK_SECONDS
                    self._json(
                        200 if healthy else 503, {"status": "ok" if healthy else "stuck", "idle_s": round(age, 1)}
                    )
                case "/readyz":
                    wrong = served.dependencies()
                    ready = not any(wrong.values())
                    found = {name: reason or "ok" for name, reason in wrong.items()}
                    self._json(200 if ready else 503, {"status": "ok" if ready else "unready", "dependencies": found})
                case _:
                    self._json(404, {"status": "not found", "paths": ["/metrics", "/healthz", "/readyz"]})

        def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
            """Keep requests out of the log."""

        def _json(self, status: int, body: dict[str, object]) -> None:
            self._answer(status, "application/json", orjson.dumps(body))

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        """Says nothing of clients that hang up."""

        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, request: object, client_address: object) -> None:
            """Leave it at that."""

    server = Server((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    logger.info("metrics and health on http://%s:%d", host, port)
