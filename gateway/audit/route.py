"""Route of events from this process to Kafka, as a state machine.

    DIRECT ──── an event is not acknowledged in time ───► SPOOLING
      ▲                                                      │
      │ all of the rest arrives in time                      │▲ a segment has been sent; back: Kafka fails
      │                                                      ▼
    HANDING OVER ◄──── one segment or none is left ─────── SENDING

While the route is DIRECT, events go to Kafka. In every other state they go to the spool, whose segments one sender
sends from the oldest on, so that no event overtakes another. An event that is appended while SENDING leads back to
SPOOLING: what it came for, such as a broker that has stopped answering, is looked at afresh. While HANDING OVER, the
gate is closed: new events wait until the last of the spool has arrived.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class State(StrEnum):
    """State of the route: the way of new events, and the work of the sender."""

    DIRECT = "direct"
    SPOOLING = "spooling"
    SENDING = "sending"
    HANDING_OVER = "handing over"


class Route:
    """State of the route, and the gate that every event passes.

    Args:
        state: DIRECT, or SPOOLING where an earlier process left a spool.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._gate = threading.Lock()
        self._appending = 0
        self._appended = threading.Condition()

    @property
    def state(self) -> State:
        """The state as it is now."""
        return self._state

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Pass the gate: what is decided inside is decided by one thread at a time, and by none while it is closed."""
        with self._gate:
            yield

    def begin_append(self) -> bool:
        """Lead this event and those behind it to the spool; the gate must be held.

        Returns:
            whether they went to Kafka until now.
        """
        was_direct = self._state is State.DIRECT
        self._state = State.SPOOLING
        with self._appended:
            self._appending += 1
        return was_direct

    def end_append(self) -> None:
        """The event is on the disk, or will never be."""
        with self._appended:
            self._appending -= 1
            self._appended.notify()

    def kafka_answers(self) -> None:
        """Kafka has taken a segment, or answered: the sender may send on."""
        with self._gate:
            if self._state is State.SPOOLING:
                self._state = State.SENDING

    def kafka_fails(self) -> None:
        """Kafka does not take what is sent: the sender waits until it answers."""
        with self._gate:
            if self._state is State.SENDING:
                self._state = State.SPOOLING

    @contextmanager
    def handing_over(self) -> Iterator["Handover"]:
        """Close the gate, once the events that are being appended are on the disk, and open it at the end.

        Leads to DIRECT if the block says that all has arrived, and else to SPOOLING.
        """
        with self._gate:
            with self._appended:
                self._appended.wait_for(lambda: not self._appending)
            self._state = State.HANDING_OVER
            handover = Handover()
            try:
                yield handover
            finally:
                self._state = State.DIRECT if handover.has_arrived else State.SPOOLING


class Handover:  # pylint: disable=too-few-public-methods  # one answer
    """Answer of a block that hands over: whether all of the spool has arrived."""

    has_arrived = False
