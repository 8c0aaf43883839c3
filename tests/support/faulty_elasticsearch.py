"""Elasticsearch behind a proxy that does to bulk requests what it does not do by itself."""

import threading
from collections.abc import Callable

from contracts.query_event.event import AuditEvent
from tests.support.faulty_proxy import FaultyProxy, Reply
from tests.support.waiting import WAIT_SECONDS

Fault = Callable[[bytes], Reply | None]
"""Looks at a bulk body; None passes it on, a reply is sent instead."""

_ACTIONS = (b'{"create":', b'{"index":', b'{"delete":')


def operations(body: bytes) -> list[bytes]:
    """The operations of a bulk body, each with its lines."""
    found: list[bytes] = []
    for line in body.splitlines(keepends=True):
        if line.startswith(_ACTIONS):
            found.append(line)
        else:
            found[-1] += line
    return found


class FaultyElasticsearch(FaultyProxy):
    """A proxy in front of the real Elasticsearch, which does to bulk requests what that does not do by itself."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.fault: Fault | None = None
        self.after: Callable[[bytes, Reply], Reply] = lambda body, reply: reply
        self.bodies: list[bytes] = []

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Pass a request on, if it is not a bulk request with a fault."""
        if not path.startswith("/_bulk"):
            return super().ask(method, path, headers, body)
        self.bodies.append(body)
        reply = self.fault(body) if self.fault else None
        return self.after(body, reply or super().ask(method, path, headers, body))

    def hold(self, event: AuditEvent) -> threading.Event:
        """Hold the first bulk request with an event back until what is given is set, and pass on all others."""
        released = threading.Event()
        marker = event.event_id.encode()

        def hold(body: bytes) -> None:
            if marker in body and next(each for each in self.bodies if marker in each) is body:
                released.wait(WAIT_SECONDS)

        self.fault = hold
        return released
