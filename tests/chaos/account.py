"""Account of `make chaos`: what was produced against what was found, in one byte an event.

Why: only acknowledged events count as produced. A produce without an acknowledgement may be in the log or not, so it is
counted apart. A producer that retries for ever would never meet that case, which the gateway's spool lives with. Ids
hold the event's number; sets of ids would take some hundred bytes an event.
"""

from uuid import UUID

_ACKNOWLEDGED, _INDEXED, _DEAD = 1, 2, 4
_NUMBER_BITS = 62
# A UUIDv7 (RFC 9562): the time, here a fixed one, the version and the variant; the number is where its random bits are.
_BASE = (0x0192_0000_0000 << 80) | (7 << 76) | (2 << _NUMBER_BITS)


def event_id(number: int) -> str:
    """The id of the event of that number."""
    return str(UUID(int=_BASE | number))


class Account:
    """Closes if every acknowledged event is a document or a dead letter, and nothing else and nothing twice is.

    An event without an acknowledgement may be either, or nothing: its producer was not told.
    """

    def __init__(self) -> None:
        self._letters_again = 0
        self._doubles = 0
        self._strangers = 0
        self._events = bytearray()

    def open(self) -> int:
        """A new event's number."""
        self._events.append(0)
        return len(self._events) - 1

    def acknowledge(self, number: int) -> None:
        """The broker has said that it has the event."""
        self._events[number] |= _ACKNOWLEDGED

    def found_document(self, identifier: str) -> None:
        """There is a document of that id."""
        self._doubles += self._find(identifier, _INDEXED)

    def found_letter(self, identifier: str) -> None:
        """There is a dead letter of that id; one is sent again if its sink ends before the offset is committed."""
        self._letters_again += self._find(identifier, _DEAD)

    def _find(self, identifier: str, kind: int) -> bool:
        """Note where an event was found; tell whether it had been found there before."""
        number = UUID(identifier).int - _BASE
        if not 0 <= number < len(self._events):
            self._strangers += 1
            return False
        was_found = bool(self._events[number] & kind)
        self._events[number] |= kind
        return was_found

    def figures(self) -> dict[str, int]:
        """The account, by what is counted; documents and dead letters are distinct ones."""
        produced = sum(1 for event in self._events if event & _ACKNOWLEDGED)
        return {
            "produced (acknowledged)": produced,
            "acknowledgement unknown": len(self._events) - produced,
            "of which found": sum(1 for event in self._events if event and not event & _ACKNOWLEDGED),
            "documents": sum(1 for event in self._events if event & _INDEXED),
            "dead letters": sum(1 for event in self._events if event & _DEAD),
            "dead letters sent again": self._letters_again,
            "doubles": self._doubles,
        }

    def complaints(self) -> list[str]:
        """Reasons why the account does not close; empty if it does."""
        lost = [number for number, event in enumerate(self._events) if event == _ACKNOWLEDGED]
        both = [number for number, event in enumerate(self._events) if event & _INDEXED and event & _DEAD]
        found = []
        if not any(event & _ACKNOWLEDGED for event in self._events):
            found.append("nothing was produced")
        if lost:
            found.append(f"{len(lost)} acknowledged events are nowhere, the first {event_id(lost[0])}")
        if both:
            found.append(f"{len(both)} events are documents and dead letters, the first {event_id(both[0])}")
        if self._doubles:
            found.append(f"{self._doubles} documents are there twice")
        if self._strangers:
            found.append(f"{self._strangers} documents or dead letters are of no event that was produced")
        return found
