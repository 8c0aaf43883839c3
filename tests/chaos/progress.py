"""Longest time in which the number of documents stood still."""

import time

from elasticsearch import ApiError, TransportError

from tests.chaos.background import Background
from tests.support.trail import Trail

_EVERY_SECONDS = 0.5


class Progress(Background):
    """Looks at the number of documents, twice a second, in a thread of its own, while the context lasts.

    Attributes:
        longest: seconds for which it stood still, at most.
        longest_while_up: the same, counted anew whenever a server that was down answers again.
    """

    def __init__(self, trail: Trail) -> None:
        super().__init__()
        self.longest = 0.0
        self.longest_while_up = 0.0
        self._trail = trail
        self._are_servers_up = True
        self._up_since = time.monotonic()

    def servers_are_up(self, are_up: bool) -> None:
        """To be told when harm is about to be done to a server, and when it answers again."""
        self._up_since = time.monotonic()
        self._are_servers_up = are_up

    def documents(self) -> int | None:
        """How many there are; None while Elasticsearch does not tell."""
        try:
            self._trail.client.indices.refresh(index=self._trail.indices)
            return int(self._trail.client.count(index=self._trail.indices)["count"])
        except (ApiError, TransportError):
            return None

    def _run(self) -> None:
        count, since = 0, time.monotonic()
        while not self._ended.wait(_EVERY_SECONDS):
            found = self.documents()
            now = time.monotonic()
            if found is not None and found > count:
                count, since = found, now
            self.longest = max(self.longest, now - since)
            if self._are_servers_up:
                self.longest_while_up = max(self.longest_while_up, now - max(since, self._up_since))
