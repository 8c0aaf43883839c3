"""A server that speaks Redis' protocol and runs its scripts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fakeredis import TcpFakeServer
from fakeredis._clients._tcp_server import TCPFakeRequestHandler
from redis.exceptions import ResponseError


class _Handler(TCPFakeRequestHandler):
    """Keeps a connection after an error, as Redis does; the library's own hangs up."""

    def setup(self) -> None:
        super().setup()
        read = self.current_client.read_response

        def answer(*args: Any, **options: Any) -> Any:
            try:
                return read(*args, **options)
            except ResponseError as error:
                return error

        self.current_client.read_response = answer  # type: ignore[method-assign]  # a reply is what is written


@contextmanager
def serving(port: int) -> Iterator[None]:
    """Serve on a port of this machine while the context lasts."""
    with TcpFakeServer(("127.0.0.1", port)) as server:
        server.RequestHandlerClass = _Handler
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()
