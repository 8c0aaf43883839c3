"""The catalogues of the indices in use, kept in memory and read again from Elasticsearch in the background."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from translator.catalogue import Catalogue, MappingError

logger = logging.getLogger(__name__)

_MAX_INDICES = 100
"""Names of indices kept at once; the one not used for longest makes room."""
_FAILURE_SECONDS = 3.0
"""Seconds for which the answer of a read that failed is given to all who ask, before the next read."""
_EVERY_INDEX = "*"


class UnknownIndex(Exception):
    """Elasticsearch has no index of this name."""


class SearchUnavailable(Exception):
    """Elasticsearch cannot be asked, and the index's catalogue is not in memory.

    Args:
        reason: for the log.
        is_answer: whether Elasticsearch answered, so that other indices may well be read.
    """

    def __init__(self, reason: str, *, is_answer: bool = False) -> None:
        super().__init__(reason)
        self.is_answer = is_answer


class Mappings(Protocol):
    """Source of mappings; called in threads."""

    def read(self, index: str) -> dict[str, dict[str, Any]]:
        """The mappings by index, for a name that may be an alias or have wildcards.

        Raises:
            UnknownIndex: there is no such index.
            SearchUnavailable: Elasticsearch cannot be asked.
        """

    def is_reachable(self) -> bool:
        """Whether Elasticsearch answers."""


class ElasticsearchMappings:
    """The mappings of an Elasticsearch."""

    def __init__(self, client: Elasticsearch) -> None:
        self._client = client

    def read(self, index: str) -> dict[str, dict[str, Any]]:
        """See `Mappings`."""
        try:
            response = self._client.indices.get_mapping(index=index)
        except NotFoundError:
            raise UnknownIndex(index) from None
        except (ApiError, TransportError) as error:
            reason = f"{error.__class__.__name__} for {index}"
            raise SearchUnavailable(reason, is_answer=isinstance(error, ApiError)) from error
        if not response.body:
            raise UnknownIndex(index)
        return {name: found["mappings"] for name, found in response.body.items()}

    def is_reachable(self) -> bool:
        """See `Mappings`."""
        try:
            self._client.cluster.health()
        except (ApiError, TransportError):
            return False
        return True


@dataclass(slots=True)
class _Entry:
    catalogue: Catalogue
    read_at: float


class CatalogueCache:
    """Catalogues by the name of their index; a name may be an alias or have wildcards.

    A catalogue that has been read once stays in use while Elasticsearch cannot be reached. All who wait for a catalogue
    wait for one read. After one that failed nothing is read for three seconds: were each to wait for a failure of its
    own, an Elasticsearch that hangs would hold every caller that mistypes a name for the whole time-out.

    Args:
        mappings: where they come from.
        unknown_field_refresh_seconds: how often `refreshed` reads a mapping again, at most.
        clock: seconds that only go up.
    """

    def __init__(
        self,
        mappings: Mappings,
        unknown_field_refresh_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mappings = mappings
        self._refresh_seconds = unknown_field_refresh_seconds
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._reads: dict[str, asyncio.Task[Catalogue]] = {}
        self._failures: dict[str, tuple[float, SearchUnavailable]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def cached(self, index: str) -> Catalogue | None:
        """The catalogue in memory, if there is one."""
        entry = self._entries.get(index)
        if entry is None:
            return None
        self._entries.move_to_end(index)
        return entry.catalogue

    async def get(self, index: str) -> Catalogue:
        """The catalogue of an index, read from Elasticsearch where it is not in memory.

        Raises:
            UnknownIndex: there is no such index.
            SearchUnavailable: Elasticsearch cannot be asked.
        """
        return self.cached(index) or await self._read(index)

    async def refreshed(self, index: str, known: Catalogue) -> Catalogue | None:
        """A newer catalogue than the known one, because a name is not in that.

        Returns:
            None where it was read a moment ago or cannot be read now.
        """
        entry = self._entries.get(index)
        if entry is None:
            return None
        if entry.catalogue is not known:
            return entry.catalogue
        if index not in self._reads and self._clock() - entry.read_at < self._refresh_seconds:
            return None
        try:
            return await self._read(index)
        except (UnknownIndex, SearchUnavailable):
            return None

    async def refresh_forever(self, seconds: float) -> None:
        """Read all catalogues in memory again, for ever, with so many seconds between."""
        reachable = True
        while True:
            await asyncio.sleep(seconds)
            for index in list(self._entries):
                try:
                    await self._read(index)
                except UnknownIndex:
                    self._entries.pop(index, None)
                except SearchUnavailable as error:
                    if reachable:
                        logger.warning("mappings cannot be read, the known ones stay in use: %s", error)
                    reachable = False
                    break
                else:
                    reachable = True

    async def is_reachable(self) -> bool:
        """Whether Elasticsearch answers."""
        return await asyncio.to_thread(self._mappings.is_reachable)

    async def _read(self, index: str) -> Catalogue:
        """The catalogue from the read that is under way, or from a new one."""
        task = self._reads.get(index)
        if task is None:
            self._raise_failure(index)
            task = self._reads[index] = asyncio.create_task(self._read_now(index))
            task.add_done_callback(lambda done: self._is_read(index, done))
        return await asyncio.shield(task)

    def _raise_failure(self, index: str) -> None:
        since = self._clock() - _FAILURE_SECONDS
        self._failures = {name: failure for name, failure in self._failures.items() if failure[0] > since}
        failure = self._failures.get(_EVERY_INDEX) or self._failures.get(index)
        if failure is not None:
            raise SearchUnavailable(str(failure[1]), is_answer=failure[1].is_answer)

    def _is_read(self, index: str, task: asyncio.Task[Catalogue]) -> None:
        del self._reads[index]
        # Also where nobody waits any more, an exception has to be taken from its task.
        error = None if task.cancelled() else task.exception()
        if isinstance(error, SearchUnavailable):
            self._failures[index if error.is_answer else _EVERY_INDEX] = (self._clock(), error)

    async def _read_now(self, index: str) -> Catalogue:
        mappings = await asyncio.to_thread(self._mappings.read, index)
        try:
            # A mapping of thousands of fields takes long enough to keep others waiting.
            catalogue = await asyncio.to_thread(Catalogue.from_mappings, mappings)
        except MappingError as error:
            raise SearchUnavailable(f"{error.__class__.__name__} for {index}", is_answer=True) from error
        self._entries[index] = _Entry(catalogue, self._clock())
        if len(self._entries) > _MAX_INDICES:
            self._entries.popitem(last=False)
        return catalogue
