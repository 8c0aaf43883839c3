"""The seam between indexing and a topic's owner: what a record of the topic becomes in Elasticsearch."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from confluent_kafka import Message

from elastic.exchange import ElasticsearchExchange


class Place(NamedTuple):
    """Coordinates of a record in its topic.

    Attributes:
        partition: number of the partition.
        offset: offset in the partition.
        timestamp_ms: Kafka's timestamp of the record, milliseconds since 1970.
    """

    partition: int
    offset: int
    timestamp_ms: int


class Unreadable(Exception):
    """A record that can never be indexed: it becomes a dead letter.

    Args:
        reason: a short name, fit for a metric's label.
        detail: a sentence for people. Before its first colon it quotes nothing of the record.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Projection(Protocol):
    """Documents that the records of one topic become in Elasticsearch."""

    name: str
    """Name of the consumer, for metrics, logs and Kafka's client id."""

    def operations(self, record: Message, place: Place) -> Sequence[bytes]:
        """Make the operations of a bulk request that index a record.

        The same record must always give the same operations, and repeating one must change nothing: with ``create``
        by the document's id, with ``index`` and ``delete`` by an external version. A record without operations is
        settled at once.

        Args:
            record: as it was read, or rebuilt from a dead letter.
            place: where it is in its topic.

        Returns:
            operations, each with its line of action and, where the action takes one, its line of source, both ended
            with a line feed.

        Raises:
            Unreadable: the record can never be indexed.
        """

    def unready(self, elasticsearch: ElasticsearchExchange) -> str | None:
        """Say what keeps the cluster from taking documents, or None; answers within a few seconds."""
