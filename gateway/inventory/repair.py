"""Repair of an index: snapshots of what it lacks, and the wait until they are settled."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from elasticsearch import ApiError, Elasticsearch

from contracts.inventory_change.progress import INDEX
from gateway.inventory import progress
from gateway.inventory.comparison import compare, remaining, snapshots
from gateway.inventory.indices import Indices
from gateway.inventory.models import RelayState
from gateway.inventory.relay.composition import TypeIndices
from gateway.inventory.relay.outbox import highest_feed
from gateway.inventory.relay.publisher import Publisher

_POLL_SECONDS = 0.02
_AHEAD = 500
"""Snapshots of a partition that may wait to be indexed: a change behind them, and who waits for it, waits as long."""


class Interrupted(Exception):
    """End of the process; a repair that was begun goes on later."""


@dataclass(slots=True)
class Account:
    """Account of a comparison.

    Attributes:
        differed: those that the index lacked, had in an older version, or had although they are deleted.
        left: those that still differ, though their snapshot is settled: the mapping refuses them; versions by id.
        ahead: ids of documents that the index has in a version that the database never gave.
    """

    differed: int = 0
    left: dict[str, int] = field(default_factory=dict)
    ahead: list[str] = field(default_factory=list)


class Repair:
    """Brings an index up to the database.

    Args:
        client: Elasticsearch.
        indices: the indices of all types.
        publisher: the way to Kafka.
        stopping: set when the process is to end.
    """

    def __init__(
        self, client: Elasticsearch, indices: Indices, publisher: Publisher, stopping: threading.Event
    ) -> None:
        self._client = client
        self._indices = indices
        self._publisher = publisher
        self._stopping = stopping

    def repair(self, type_indices: TypeIndices, index: str) -> Account:
        """Publish snapshots of what an index lacks, and wait until they are settled.

        Raises:
            Interrupted: the process is to end.
            KafkaException, ApiError, TransportError: a server fails; to be repeated.
        """
        account = Account()
        wanted: dict[int, int] = {}
        positions: dict[int, int] = {}
        for difference in compare(type_indices, self._indices, index):
            self._go_on()
            account.differed += len(difference.wanted)
            account.ahead += difference.ahead
            wanted |= difference.wanted
            for messages in snapshots(type_indices, index, difference.wanted):
                self._go_on()
                for partition, offset in self._publisher.publish(messages, highest_feed()):
                    positions[partition] = max(offset + 1, positions.get(partition, 0))
                self.wait(lambda: {partition: offset - _AHEAD for partition, offset in positions.items()})
        self.wait(lambda: positions)
        account.left = remaining(type_indices, self._indices, index, wanted)
        return account

    def verify(self, type_indices: TypeIndices, index: str) -> Account:
        """Compare an index without changing it; what is under way is waited for.

        Raises:
            Interrupted, ApiError, TransportError: as ``repair``.
        """
        account = Account()
        wanted: dict[int, int] = {}
        for difference in compare(type_indices, self._indices, index):
            self._go_on()
            account.ahead += difference.ahead
            wanted |= difference.wanted
        feed = highest_feed()
        self.wait(lambda: published_before(feed))
        account.left = remaining(type_indices, self._indices, index, wanted)
        account.differed = len(account.left)
        return account

    def wait(self, positions: Callable[[], Mapping[int, int] | None]) -> None:
        """Wait until all is indexed before some offsets.

        Args:
            positions: the offsets by partition; None while they are not known yet.

        Raises:
            Interrupted: the process is to end.
        """
        while True:
            wanted = positions()
            if wanted is not None:
                if not wanted:
                    return
                state = RelayState.objects.get(pk=1)
                if progress.covers(self._read(state.topic_id or "", list(wanted)), wanted):
                    return
            self._go_on()
            self._stopping.wait(_POLL_SECONDS)

    def _read(self, topic_id: str, partitions: list[int]) -> dict[int, int]:
        try:
            found = self._client.mget(index=INDEX, **progress.request(topic_id, partitions), filter_path="docs._source")
        except ApiError as error:
            # The indexer has not written anything yet.
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
            return {}
        return progress.read(found.body)

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise Interrupted


def published_before(feed: int) -> dict[int, int] | None:
    """The ends of the partitions once the change of a number is published, in the topic that the relay goes with."""
    state = RelayState.objects.filter(pk=1, last_feed__gte=feed).first()
    if state is None or not state.topic_id:
        return None
    return {int(partition): offset for partition, offset in state.positions.items()}
