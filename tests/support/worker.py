"""The worker as a process."""

from collections.abc import Callable
from pathlib import Path

import urllib3

from local import ports
from tests.support.gateway import Gateway
from tests.support.process import Process, python
from tests.support.waiting import wait_until_up


class Worker(Process):
    """``python -m gateway worker`` beside a gateway."""

    def __init__(self, gateway: Gateway, log: Path) -> None:
        self.port = ports.free(1)[0]
        environment = gateway.environment | {"GATEWAY_WORKER_METRICS_PORT": str(self.port)}
        super().__init__(*python("gateway", "worker"), environment=environment, log=log)
        self.log = log
        self.start()

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        """Ask its health port."""
        return urllib3.request("GET", f"http://127.0.0.1:{self.port}{path}", retries=False, timeout=10.0)

    def wait_until_ready(self) -> None:
        """Wait until it is ready."""
        wait_until_up(f"http://127.0.0.1:{self.port}/readyz")


NewWorker = Callable[[], Worker]
