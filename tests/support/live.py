"""Live sockets: their process, and clients of them."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import orjson
import urllib3
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from local import ports
from tests.support.gateway import Gateway
from tests.support.process import Process, python
from tests.support.waiting import WAIT_SECONDS, wait_until_up

VERSION = "sluice.v1"
NOTIFICATIONS, TAIL = "/ws/notifications/", "/ws/tail"


class Live(Process):
    """``python -m gateway live`` beside a gateway, on ports that stay its own while it is away."""

    def __init__(self, gateway: Gateway, log: Path, **more: str) -> None:
        self.port, self.metrics_port = ports.free(2)
        self.gateway = gateway
        self.url = f"ws://127.0.0.1:{self.port}"
        own = {"GATEWAY_LIVE_PORT": str(self.port), "GATEWAY_LIVE_METRICS_PORT": str(self.metrics_port)}
        super().__init__(*python("gateway", "live"), environment=gateway.environment | own | more, log=log)
        self.log = log

    def start(self) -> None:
        """Start it, and wait until it serves."""
        super().start()
        wait_until_up(f"http://127.0.0.1:{self.metrics_port}/healthz")

    def wait_until_ready(self) -> None:
        """Wait until it has all that it needs, and reads both topics."""
        wait_until_up(f"http://127.0.0.1:{self.metrics_port}/readyz")

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        """Ask its health port."""
        return urllib3.request("GET", f"http://127.0.0.1:{self.metrics_port}{path}", retries=False, timeout=10.0)

    def metric(self, line: str) -> float:
        """The value of a metric, by its name with its labels; zero until it is counted."""
        lines = self.get("/metrics").data.decode().splitlines()
        return next((float(each.rpartition(" ")[2]) for each in lines if each.startswith(f"{line} ")), 0.0)

    def socket(self, path: str, **headers: str) -> "Socket":
        """Open a socket by headers, such as ``Authorization``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Socket(self.url + path, [VERSION], named)


class Socket:
    """A client's socket, of JSON frames.

    Raises:
        websockets.exceptions.InvalidStatus: it is refused before the upgrade.
    """

    def __init__(
        self, url: str, subprotocols: list[str], headers: dict[str, str] | None = None, **options: Any
    ) -> None:
        self._opened = ExitStack()
        self.connection: ClientConnection = self._opened.enter_context(
            connect(
                url,
                subprotocols=subprotocols,  # type: ignore[arg-type]  # each is a str
                additional_headers=headers or {},
                proxy=None,
                open_timeout=30.0,
                **{"compression": None, "max_size": 2**20} | options,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def send(self, kind: str, **members: Any) -> None:
        """Send a frame."""
        self.connection.send(orjson.dumps({"v": 1, "type": kind, **members}, option=orjson.OPT_NON_STR_KEYS).decode())

    def read(self, within: float = WAIT_SECONDS) -> dict[str, Any]:
        """The next frame."""
        frame: dict[str, Any] = orjson.loads(self.connection.recv(timeout=within))
        assert frame["v"] == 1
        return frame

    def expect(self, kind: str, within: float = WAIT_SECONDS) -> dict[str, Any]:
        """The next frame, which is of this kind."""
        frame = self.read(within)
        assert frame["type"] == kind, frame
        return frame

    def end(self, within: float = WAIT_SECONDS) -> tuple[int | None, dict[str, Any] | None]:
        """Read to the end; the close code and the server's farewell, if there was one."""
        farewell = None
        while True:
            try:
                frame = self.read(within)
            except ConnectionClosed as closed:
                return (None if closed.rcvd is None else closed.rcvd.code), farewell
            if frame["type"] == "bye":
                farewell = frame


@contextmanager
def live_process(gateway: Gateway, log: Path, **more: str) -> Iterator[Live]:
    """The process, from when it is ready until the block ends."""
    live = Live(gateway, log, **more)
    live.start()
    try:
        live.wait_until_ready()
        yield live
    finally:
        if live.is_running:
            live.stop(signal.SIGTERM)
