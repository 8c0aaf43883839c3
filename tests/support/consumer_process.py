"""A consumer as a process, as an operator runs it."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from local import ports
from tests.support.process import Process, python
from tests.support.sigterm import handles_sigterm
from tests.support.trail import Trail
from tests.support.waiting import eventually


class ServingProcess(Process):
    """``python -m`` and a package that serves health and metrics; it lives on until it is told to end.

    Args:
        package: the package.
        port: where its health and metrics are.
        environment: all of its variables.
        log: the file that it logs to.
    """

    def __init__(self, package: str, port: int, environment: Mapping[str, str], log: Path) -> None:
        self.port = port
        self._log = log
        # Ended by stop() or kill(), and by the fixture that made it where a test fails.
        super().__init__(*python(package), environment=environment, log=log)
        self.start()

    def log(self) -> str:
        """All that it logged."""
        return self._log.read_text(encoding="utf-8")

    def get(self, path: str) -> tuple[int, str]:
        """The status and body that its health port answers; status 0 while it does not listen."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str) -> float:
        """A metric's value, summed over its labels; 0 before it is set."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def wait_until_ready(self) -> Self:
        """Wait until it has joined its group."""
        eventually(lambda: self.get("/readyz")[0] == 200, f"readiness; the log:\n{self.log()}")
        return self

    @property
    def handles_sigterm(self) -> bool:
        """Whether SIGTERM would not just kill it."""
        return handles_sigterm(self.process.pid)

    @property
    def peak_megabytes(self) -> float:
        """The most memory that it has had resident."""
        return int(self._status("VmHWM")) / 1024

    def _status(self, name: str) -> str:
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        [value] = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
        return value


class ConsumerProcess(ServingProcess):
    """The consumer of a trail, with these variables beside the trail's."""

    def __init__(self, trail: Trail, log: Path, **variables: str) -> None:
        [port] = ports.free(1)
        own = trail.named({"AUDIT_SINK_METRICS_PORT": str(port)} | variables)
        super().__init__(trail.program.package, port, trail.environment | own, log)


Start = Callable[..., ConsumerProcess]
"""Starts a consumer with these variables beside its trail's."""
