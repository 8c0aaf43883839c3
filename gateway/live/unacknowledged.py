"""Account of the notifications that a socket has been sent and not acknowledged; pure."""

from collections import deque

MAX_BYTES = 256 * 1024
"""Of notifications under way to one socket; what is over that, the client reads from the inbox."""


class Unacknowledged:
    """Place of a socket in its inbox, and what is under way to it.

    Nothing is sent before the client has said what it has (``since``), nor between a ``resync`` and the next ``since``:
    meanwhile it reads the inbox.

    Attributes:
        position: the number of the last notification that was sent or that the client had; None while it must say.
    """

    def __init__(self) -> None:
        self.position: int | None = None
        self._under_way: deque[tuple[int, int]] = deque()
        self._bytes = 0

    def begin(self, number: int) -> None:
        """The client has all notifications up to this number."""
        self.position = number
        self._under_way.clear()
        self._bytes = 0

    def acknowledge(self, number: int) -> None:
        """The client has received what was sent up to this number."""
        while self._under_way and self._under_way[0][0] <= number:
            self._bytes -= self._under_way.popleft()[1]

    def has_room(self, length: int) -> bool:
        """Whether a frame of so many bytes may be sent."""
        return self._bytes + length <= MAX_BYTES

    def sent(self, number: int, length: int) -> None:
        """A frame has been sent, whose last notification has this number."""
        self.position = number
        self._under_way.append((number, length))
        self._bytes += length

    def give_up(self) -> None:
        """The client has been told to read the inbox."""
        self.position = None
        self._under_way.clear()
        self._bytes = 0
