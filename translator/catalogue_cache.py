"""The catalogues of the indices in use, kept in memory and read again from Elasticsearch in the background."""

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from translator.catalogue import Catalogue, MappingError

logger = logging.getLogger(__name__)

_MAX_INDICES = 100
"""Names of indices kept at once; the one not used for longest makes room."""


class UnknownIndex(Exception):
    """Elasticsearch has no index of this name."""


class SearchUnavailable(Exception):
    """Elasticsearch cannot be asked, and the index's catalogue is not in memory."""


@dataclass(slots=True)
class _Entry:
    catalogue: Catalogue
    read_at: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class CatalogueCache:
    """Catalogues by the name of their index; a name may be an alias or have wildcards.

    A catalogue that has been read once stays in use while Elasticsearch cannot be reached.

    Args:
        client: where mappings come from.
        unknown_field_refresh_seconds: how often `refreshed` reads a mapping again, at most.
    """

    def __init__(self, client: Elasticsearch, unknown_field_refresh_seconds: float) -> None:
        self._client = client
        self._refresh_seconds = unknown_field_refresh_seconds
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._first_reads: dict[str, asyncio.Task[Catalogue]] = {}

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
        catalogue = self.cached(index)
        if catalogue is not None:
            return catalogue
        # Requests that come at once share one look at Elasticsearch.
        task = self._first_reads.get(index)
        if task is None:
            task = self._first_reads[index] = asyncio.create_task(self._read(index))
            task.add_done_callback(lambda _: self._first_reads.pop(index, None))
        return await asyncio.shield(task)

    async def refreshed(self, index: str) -> Catalogue | None:
        """The catalogue read afresh, because a name is not in the one in memory.

        Returns:
            None where it was read a moment ago or cannot be read now.
        """
        entry = self._entries.get(index)
        if entry is None:
            return None
        before = entry.catalogue
        async with entry.lock:
            current = self._entries.get(index)
            if current is not None and current.catalogue is not before:
                return current.catalogue
            if time.monotonic() - entry.read_at < self._refresh_seconds:
                return None
            entry.read_at = time.monotonic()
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
        try:
            await asyncio.to_thread(self._client.cluster.health)
        except (ApiError, TransportError):
            return False
        return True

    async def _read(self, index: str) -> Catalogue:
        try:
            response = await asyncio.to_thread(self._client.indices.get_mapping, index=index)
            mappings = {name: found["mappings"] for name, found in response.body.items()}
            # A mapping of thousands of fields takes long enough to keep others waiting.
            catalogue = await asyncio.to_thread(Catalogue.from_mappings, mappings)
        except NotFoundError:
            raise UnknownIndex(index) from None
        except (ApiError, TransportError, MappingError) as error:
            raise SearchUnavailable(f"{error.__class__.__name__} for {index}") from error
        if not mappings:
            raise UnknownIndex(index)
        known = self._entries.get(index)
        if known is None:
            self._entries[index] = _Entry(catalogue, time.monotonic())
            if len(self._entries) > _MAX_INDICES:
                self._entries.popitem(last=False)
        else:
            known.catalogue = catalogue
            known.read_at = time.monotonic()
        return catalogue
