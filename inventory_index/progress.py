"""Writer of the progress of indexing, for readers who wait for a change of theirs.

A thread of its own writes, so that the loop never waits: always the newest offsets, one request at a time. The external
version of a document is its offset, so that an older one of another process, or of a late request, changes nothing.
From time to time it writes all of them again: a cluster that was set up anew has none, and quiet partitions stay.
"""

import logging
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from random import Random

import orjson

from contracts.inventory_change.progress import INDEX, progress_id
from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from indexing.backoff import full_jitter
from indexing.bulk_response import PARTS, read_items
from indexing.outcomes import Outcome, classify_item, describe
from kit.http_exchange import NoAnswer

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10.0
_WHOLE_SECONDS = 30.0
_TARGET = f"/{INDEX}/_bulk?filter_path={PARTS}"
_HEADERS = {"content-type": "application/x-ndjson"}

_Positions = tuple[str, dict[int, int]]


class ProgressWriter:
    """Writes the progress of the assigned partitions in the background.

    Args:
        elasticsearch: the cluster.
    """

    def __init__(self, elasticsearch: ElasticsearchExchange) -> None:
        self._elasticsearch = elasticsearch
        self._changed = threading.Condition()
        self._wanted: _Positions | None = None
        self._written: _Positions | None = None
        threading.Thread(target=self._work, name="progress", daemon=True).start()

    @classmethod
    def connect(cls, settings: ElasticsearchSettings) -> "ProgressWriter":
        """One with a connection of its own."""
        return cls(ElasticsearchExchange.to(settings, connections=1))

    def settled(self, topic_id: str, positions: Mapping[int, int]) -> None:
        """Take the offsets before which all is settled, by partition."""
        wanted = (topic_id, dict(positions))
        if wanted != self._wanted:
            with self._changed:
                self._wanted = wanted
                self._changed.notify()

    def _work(self) -> None:
        random, attempt = Random(), 0
        next_whole = time.monotonic() + _WHOLE_SECONDS
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted != self._written, max(0.0, next_whole - time.monotonic()))
                wanted = self._wanted
            if time.monotonic() >= next_whole:
                self._written = None
                next_whole = time.monotonic() + _WHOLE_SECONDS
            if wanted is None:
                continue
            trouble = self._write(wanted)
            if trouble is None:
                self._written, attempt = wanted, 0
                continue
            if attempt == 0:
                logger.error("progress is not written, so that readers wait in vain, until this is mended: %s", trouble)
            attempt += 1
            threading.Event().wait(full_jitter(attempt, random))

    def _write(self, wanted: _Positions) -> str | None:
        """Write what has changed; say what is wrong, or None."""
        topic_id, positions = wanted
        written = self._written[1] if self._written is not None and self._written[0] == topic_id else {}
        moved = {partition: offset for partition, offset in positions.items() if written.get(partition) != offset}
        if not moved:
            return None
        body = b"".join(_lines(topic_id, *each) for each in moved.items())
        try:
            answer = self._elasticsearch.ask("POST", _TARGET, timeout=_TIMEOUT_SECONDS, body=body, headers=_HEADERS)
            if answer.status != HTTPStatus.OK:
                return f"HTTP {answer.status}"
            items = read_items(answer.body, len(moved))
        except (NoAnswer, ValueError) as error:
            return f"{type(error).__name__}: {str(error)[:500]}"
        refused = (item for item in items if classify_item(*item) not in (Outcome.INDEXED, Outcome.DUPLICATE))
        return next((describe(error) for _, error in refused), None)


def _lines(topic_id: str, partition: int, offset: int) -> bytes:
    target = {"_id": progress_id(topic_id, partition), "version": offset, "version_type": "external"}
    document = {"topic_id": topic_id, "partition": partition, "offset": offset}
    return orjson.dumps({"index": target}) + b"\n" + orjson.dumps(document) + b"\n"
