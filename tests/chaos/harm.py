"""Harm to sinks, the inventory's processes, broker and Elasticsearch."""

import time
from collections import Counter
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from tests.chaos.progress import Progress
from tests.support.consumer_process import ConsumerProcess
from tests.support.embedded_server import Server
from tests.support.process import Process
from tests.support.trail import Trail
from tests.support.waiting import eventually

_SINKS = 2
_PAUSE_SECONDS = (0.5, 5.0)
# Some are shorter than a session of the group (8 s), and some longer.
_FREEZE_SECONDS = (0.5, 12.0)


class Harm:  # pylint: disable=too-many-instance-attributes  # everything that can be hurt
    """Keeps two sinks running while the context lasts, and hurts them, others and the servers, one after the other.

    Args:
        trail: what the sinks work on.
        broker: can be hurt.
        elasticsearch: can be hurt.
        others: processes that can be hurt, by name.
        chance: decides.
        home: the folder for the sinks' logs.

    Attributes:
        done: how often what was done.
        progress: what there is to see of the sinks' work; entered by the caller, while there should be any.
    """

    def __init__(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # everything that can be hurt
        self,
        trail: Trail,
        broker: Server,
        elasticsearch: Server,
        others: Mapping[str, Process],
        chance: Random,
        home: Path,
    ) -> None:
        self.progress = Progress(trail)
        self.done: Counter[str] = Counter()
        self._trail = trail
        self._servers = {"broker": broker, "elasticsearch": elasticsearch}
        self._others = others
        self._chance = chance
        self._home = home
        self._numbers = count(1)
        self._complaints: list[str] = []
        self._sinks: list[ConsumerProcess] = []

    def __enter__(self) -> Self:
        self._sinks = [self._start() for _ in range(_SINKS)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sink in self._sinks:
            sink.kill()

    def one(self) -> str:
        """Do one thing, and mend it; returns what it was."""
        self._look_after_sinks()
        self._look_after_others()
        harm = self._chance.choice([self._sink, self._other, self._other, self._server])
        what = harm()
        self.done[what] += 1
        time.sleep(self._chance.uniform(*_PAUSE_SECONDS))
        return what

    def first_document_after_sigkill(self) -> float:
        """Seconds from the start of a sink, all of which have just been killed, to the first new document."""
        eventually(lambda: (self.progress.documents() or 0) > 0, "the first documents")
        for sink in self._sinks:
            sink.kill()
        self.done["SIGKILL of all sinks"] += 1
        before = self._documents_at_rest()
        began = time.monotonic()
        self._sinks = [self._start() for _ in self._sinks]
        eventually(lambda: (self.progress.documents() or 0) > before, "a document after the restart")
        return time.monotonic() - began

    def _documents_at_rest(self) -> int:
        """How many documents there are once the last requests of killed sinks are through."""
        counts = [-1]

        def are_at_rest() -> bool:
            time.sleep(1)
            counts.append(self.progress.documents() or 0)
            return counts[-1] == counts[-2]

        eventually(are_at_rest, "no more documents")
        return counts[-1]

    def end(self) -> list[str]:
        """Stop the sinks; returns what was wrong with any process, now or before."""
        self._look_after_sinks()
        self._look_after_others()
        for sink in self._sinks:
            status = sink.stop()
            if status != 0:
                self._complaints.append(f"a sink ended with status {status} after SIGTERM, with nothing left to do")
        return self._complaints

    def _sink(self) -> str:
        place = self._chance.randrange(_SINKS)
        what = self._chance.choice(["SIGKILL", "SIGSTOP", "SIGTERM"])
        sink = self._sinks[place]
        if what == "SIGSTOP":
            sink.freeze()
            time.sleep(self._chance.uniform(*_FREEZE_SECONDS))
            sink.thaw()
            return "SIGSTOP of a sink"
        if what == "SIGKILL":
            sink.kill()
        else:
            # 1 is its watchdog, which may be needed where the broker has just come back.
            status = sink.stop()
            what = {0: "SIGTERM", 1: "SIGTERM and watchdog"}.get(status, "SIGTERM before the start")
        self._sinks[place] = self._start()
        return f"{what} of a sink"

    def _other(self) -> str:
        name = self._chance.choice(sorted(self._others))
        what = self._chance.choice(["SIGKILL", "SIGSTOP", "SIGTERM"])
        process = self._others[name]
        if what == "SIGSTOP":
            process.freeze()
            time.sleep(self._chance.uniform(*_FREEZE_SECONDS))
            process.thaw()
        else:
            (process.kill if what == "SIGKILL" else process.stop)()
            process.start()
        return f"{what} of {name}"

    def _server(self) -> str:
        name = self._chance.choice(sorted(self._servers))
        what = self._chance.choice(["SIGKILL", "SIGSTOP", "restart"])
        server = self._servers[name]
        self.progress.servers_are_up(False)
        if what == "restart":
            server.restart()
        else:
            hurt, mend = (server.kill, server.start) if what == "SIGKILL" else (server.freeze, server.thaw)
            hurt()
            self._meanwhile()
            mend()
        self.progress.servers_are_up(True)
        return f"{what} of {name}"

    def _meanwhile(self) -> None:
        """Let time pass with a server down; every other time a sink is killed in it, too."""
        time.sleep(self._chance.uniform(*_FREEZE_SECONDS) / 2)
        if self._chance.random() < 0.5:
            place = self._chance.randrange(_SINKS)
            self._sinks[place].kill()
            self._sinks[place] = self._start()
            self.done["SIGKILL of a sink"] += 1
        time.sleep(self._chance.uniform(*_FREEZE_SECONDS) / 2)

    def _start(self) -> ConsumerProcess:
        log = self._home / "logs" / f"sink-{next(self._numbers)}.log"
        return ConsumerProcess(self._trail, log, AUDIT_SINK_BATCH_SIZE="200")

    def _look_after_sinks(self) -> None:
        """Replace sinks that have ended by themselves, and complain of each."""
        for place, sink in enumerate(self._sinks):
            if not sink.is_running:
                last_words = sink.log().splitlines()[-1:]
                self._complaints.append(f"a sink ended by itself: {last_words}")
                self._sinks[place] = self._start()

    def _look_after_others(self) -> None:
        """Start others again that have ended by themselves, and complain of each."""
        for name, process in self._others.items():
            if not process.is_running:
                self._complaints.append(f"{name} ended by itself")
                process.start()
