"""A server of an embedded stack of the test's own."""

import os
import signal

from local.errors import StackError
from local.supervisor import Program, Supervisor
from tests.support.waiting import eventually


class Server:
    """A server of an embedded stack of the test's own, for everything that is not done to the shared one."""

    def __init__(self, running: Supervisor, program: Program) -> None:
        self._running = running
        self._program = program

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._running.start(self._program)

    def restart(self) -> None:
        """Stop it in an orderly way, and start it again."""
        self._running.restart(self._program)

    def kill(self) -> None:
        """SIGKILL, and wait until the process manager knows."""
        self._signal(signal.SIGKILL)
        eventually(self._has_ended, f"the end of {self._program.name}")

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        os.killpg(self._running.pid(self._program.name), number)

    def _has_ended(self) -> bool:
        try:
            self._running.check()
        except StackError:
            return True
        return False
