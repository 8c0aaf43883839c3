"""The stack's processes under supervisord: started in order, watched, and stopped together.

http://supervisord.org/

Why: nothing may be left running when a service, its manager or the runner is killed, so each process asks the kernel
for SIGTERM when its parent dies (`local/tether.py`; Linux only). A process that ends stops the stack and is not
restarted, because a restart would hide the fault. honcho leaves a service orphaned when its helper process is killed;
circus needs ZeroMQ and tornado; a loop of ``Popen`` would repeat what supervisord does.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from local.errors import StackError

_POLL_SECONDS = 0.1
_START_SECONDS = 120
# A gateway takes up to 29 s: requests in work go on to their deadline, then the trail drains.
_STOP_SECONDS = 35

# The variables by which the stack's programs find one another must not come from the user's shell.
_FOREIGN_VARIABLES = (
    "KAFKA_",
    "ELASTICSEARCH_",
    "AUDIT_",
    "GATEWAY_",
    "TRANSLATOR_",
    "INVENTORY_",
    "CONSOLE_",
    "OTEL_",
    "DJANGO_",
)

_GONE = (OSError, HTTPException, xmlrpc.client.Error)


@dataclass(frozen=True, slots=True)
class Program:
    """A process of the stack: ``ready`` tells whether it serves."""

    name: str
    command: list[str]
    ready: Callable[[], bool]


class Supervisor:
    """A running supervisord and the programs that it was given."""

    def __init__(self, daemon: subprocess.Popen[bytes], socket: Path, logs: Path) -> None:
        self._daemon = daemon
        self._transport = SupervisorTransport(None, None, f"unix://{socket}")
        self._rpc = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=self._transport).supervisor
        self._logs = logs
        self._started: dict[str, int] = {}
        self._wait(lambda: socket.exists() and bool(self._rpc.getState()), "the process manager")

    def start(self, *programs: Program) -> None:
        """Start programs side by side and wait until all of them are ready.

        Raises:
            StackError: one that was started has ended instead, or they took too long.
        """
        for program in programs:
            self._rpc.startProcess(program.name, False)
            self._started[program.name] = cast(int, self._info(program.name)["pid"])
        for program in programs:
            self._wait(program.ready, program.name)

    def check(self) -> None:
        """Raise a StackError that names the first program that has ended."""
        if self._daemon.poll() is not None:
            raise StackError("the process manager was killed; everything that it ran is being stopped")
        for name in self._started:
            try:
                info = self._info(name)
            except _GONE as error:
                raise StackError(
                    "the process manager does not answer; everything that it ran is being stopped"
                ) from error
            # Stopped is what its user has stopped by supervisorctl, and starts again.
            if info["statename"] not in ("STARTING", "RUNNING", "STOPPING", "STOPPED"):
                # supervisord gives -1 for a process that a signal ended.
                how = "was killed" if info["exitstatus"] == -1 else f"ended with status {info['exitstatus']}"
                raise StackError(f"{name} {how}; its log is {self._logs / name}.log{self._last_line(name)}")

    def restart(self, program: Program) -> None:
        """Stop a program in an orderly way, and start it again."""
        self._rpc.stopProcess(program.name)
        self.start(program)

    def pid(self, name: str) -> int:
        """The process id of a program that was started."""
        return self._started[name]

    def stop(self) -> None:
        """Stop all programs, the last started first, and the daemon; nothing of theirs is left afterwards."""
        self._transport.close()
        self._daemon.terminate()
        self._daemon.wait()
        # A killed leader leaves its workers in its process group, which supervisord does not look at again.
        deadline = time.monotonic() + _STOP_SECONDS
        _signal_groups(self._started.values(), signal.SIGTERM)
        while time.monotonic() < deadline and _signal_groups(self._started.values(), 0):
            time.sleep(_POLL_SECONDS)
        _signal_groups(self._started.values(), signal.SIGKILL)

    def _info(self, name: str) -> dict[str, Any]:
        return cast(dict[str, Any], self._rpc.getProcessInfo(name))

    def _last_line(self, name: str) -> str:
        lines = (self._logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f" and ends with: {last[:300]}" if last else ""

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.check()
                if ready():
                    return
            except _GONE:
                # Not there yet, or bound and not listening: then the client must forget its connection to try another.
                self._transport.close()
            if time.monotonic() > deadline:
                raise StackError(f"{name} is not ready after {_START_SECONDS} s; its logs are in {self._logs}")
            time.sleep(_POLL_SECONDS)


@contextmanager
def supervisor(home: Path, programs: list[Program], variables: Mapping[str, str]) -> Iterator[Supervisor]:
    """Run a supervisord that knows ``programs``; all of them are stopped on leaving.

    Args:
        home: the folder for its configuration and the logs.
        programs: what it may start, in the order in which it is to be started.
        variables: the services' settings, for all programs alike.

    Raises:
        StackError: it cannot be started.
    """
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    # A socket's path may have some hundred characters (unix(7)), and a project's folder may well be longer.
    with tempfile.TemporaryDirectory(prefix="sluice-") as short:
        socket = Path(short) / "supervisor.sock"
        configuration = home / "supervisord.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(_configuration(programs, socket, logs), encoding="utf-8")
        daemon = subprocess.Popen(
            [*_tethered(), sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean_environment(variables),
            # Ctrl-C is for the runner, which stops the rest in order.
            process_group=0,
        )
        try:
            running = Supervisor(daemon, socket, logs)
        except BaseException:
            daemon.terminate()
            daemon.wait()
            raise
        try:
            yield running
        finally:
            running.stop()


def _tethered() -> list[str]:
    return [sys.executable, "-m", "local.tether"]


def clean_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The user's environment with these settings for Sluice's programs, and none of the user's own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_VARIABLES)}
    return {**own, "PYTHONUNBUFFERED": "1", **variables}


def _configuration(programs: list[Program], socket: Path, logs: Path) -> str:
    sections = [
        _section("unix_http_server", {"file": socket, "chmod": "0700"}),
        _section("supervisorctl", {"serverurl": f"unix://{socket}"}),
        _section("rpcinterface:supervisor", {"supervisor.rpcinterface_factory": _RPC_FACTORY}),
        _section("supervisord", {"logfile": logs / "supervisord.log", "pidfile": socket.with_suffix(".pid")}),
    ]
    for priority, program in enumerate(programs):
        options = {
            "command": shlex.join([*_tethered(), *program.command]),
            "directory": Path(__file__).parent.parent,
            "priority": priority,
            "autostart": "false",
            "autorestart": "false",
            "startsecs": 0,
            "stopwaitsecs": _STOP_SECONDS,
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": logs / f"{program.name}.log",
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": 1,
        }
        sections.append(_section(f"program:{program.name}", options))
    return "\n".join(sections)


_RPC_FACTORY = "supervisor.rpcinterface:make_main_rpcinterface"


def _section(name: str, options: dict[str, object]) -> str:
    lines = [f"[{name}]", *(f"{key}={str(value).replace('%', '%%')}" for key, value in options.items())]
    return "\n".join(lines) + "\n"


def _signal_groups(leaders: Iterable[int], number: int) -> bool:
    """Send a signal to process groups (0 only looks); tell whether any of them is left."""
    left = False
    for leader in leaders:
        try:
            os.killpg(leader, number)
            left = True
        except ProcessLookupError:
            pass
    return left
