"""Publishing of composed changes: the audit events first, then the changes."""

from collections.abc import Iterable, Sequence

import msgspec

from contracts.inventory_change.change import MAX_CHANGE_BYTES, SNAPSHOT, encode, headers
from contracts.query_event import event as audit
from contracts.query_event.event import new_event_id
from gateway.inventory.relay.composition import Composed
from gateway.inventory.relay.producer import Position, WorkerProducer
from kit.kafka import NewRecord


class Publisher:  # pylint: disable=too-few-public-methods  # it publishes
    """Way of changes to their topic, and of their audit events to the audit trail.

    Args:
        producer: the way to Kafka.
        topic: the topic of the changes.
        audit_topic: the topic of the audit trail.
    """

    def __init__(self, producer: WorkerProducer, topic: str, audit_topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._audit_topic = audit_topic

    def publish(self, messages: Sequence[Composed], highest_feed: int) -> list[Position]:
        """Publish changes, and wait until Kafka has them.

        The events come first: what the trail lacks, no reader has seen.

        Args:
            messages: the changes, in the order of their numbers.
            highest_feed: the highest number that was given, for snapshots.

        Returns:
            where each change is.

        Raises:
            KafkaException: Kafka does not take one; some may be published all the same.
        """
        events = [message.event for message in messages if message.event is not None]
        self._producer.send(
            [
                NewRecord(self._audit_topic, audit.encode(event), event.user_id, tuple(audit.headers(event, None)))
                for event in events
            ]
        )
        records: list[NewRecord] = []
        own: list[int] = []
        for message in messages:
            parts = list(_parts(message))
            records += [self._record(part, highest_feed) for part in parts]
            own.append(len(records) - 1)
        places = self._producer.send(records)
        return [places[number] for number in own]

    def _record(self, message: Composed, highest_feed: int) -> NewRecord:
        change = message.change
        feed = highest_feed if change.feed is None else change.feed
        return NewRecord(self._topic, encode(change), message.key, tuple(headers(change, feed)))


def _parts(message: Composed) -> Iterable[Composed]:
    """The message; where it is too long, documents of it come before it, as snapshots of their own."""
    change = message.change
    documents = list(change.documents)
    rest = change
    while len(encode(rest)) > MAX_CHANGE_BYTES and documents:
        moved = documents.pop()
        rest = msgspec.structs.replace(change, documents=documents)
        yield Composed(
            message.key,
            msgspec.structs.replace(
                change,
                change_id=new_event_id(),
                feed=None,
                op=SNAPSHOT,
                actor=None,
                changed=[],
                documents=[moved],
            ),
            None,
        )
    yield Composed(message.key, rest, message.event)
