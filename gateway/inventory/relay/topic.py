"""The topic as it is in Kafka, held against what the database says of it.

Both can be replaced behind the relay's back: a topic that was deleted and made again has lost changes, and a database
that was restored from a backup has forgotten some that everybody else has seen. Going on would leave the indices wrong
for ever, so the relay stops until they are made again (``python -m gateway rebuild --all``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from django.db import transaction

from contracts.invalid import InvalidRecord
from contracts.inventory_change.change import FEED_HEADER, SNAPSHOT
from contracts.inventory_change.reader import decode
from gateway.inventory.models import Change, RelayState
from gateway.inventory.relay.lease import Lease
from gateway.inventory.relay.outbox import highest_feed
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config, describe_topic

ADOPT = ""
"""As the database's id of the topic: whatever topic is there is taken, as all indices are made again."""

_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LastRecord:
    """Last record of a partition: the highest number given by then, and the change, unless it is a snapshot."""

    highest_feed: int
    feed: int | None
    change_id: str | None


@dataclass(frozen=True, slots=True)
class TopicView:
    """The topic as Kafka has it."""

    topic_id: str
    ends: Mapping[int, int]
    last: Mapping[int, LastRecord]

    @property
    def highest_feed(self) -> int:
        """The highest number that any record tells of; 0 without records."""
        return max((each.highest_feed for each in self.last.values()), default=0)


class TopicWatch:
    """Looks at a topic.

    Args:
        kafka: how the cluster is reached.
        topic: its name.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)

    def topic_id(self) -> str:
        """Kafka's id of the topic.

        Raises:
            KafkaException: the cluster does not answer, or has no such topic.
        """
        return str(describe_topic(self._admin, self._topic, _ANSWER_SECONDS).result().topic_id)

    def look(self) -> TopicView:
        """Read the id, and the last record of each partition.

        Raises:
            KafkaException: as ``topic_id``.
        """
        topic_id = self.topic_id()
        consumer = Consumer(
            client_config(self._kafka) | {"client.id": "worker", "group.id": "worker", "enable.auto.commit": False},
            logger=LIBRDKAFKA,
        )
        try:
            return self._look(consumer, topic_id)
        finally:
            consumer.close()

    def _look(self, consumer: Consumer, topic_id: str) -> TopicView:
        found = consumer.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic]
        if found.error is not None:
            raise KafkaException(KafkaError(found.error.code(), f"{found.error.str()}: {self._topic}"))
        ends: dict[int, int] = {}
        starts = []
        for number in found.partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout=_ANSWER_SECONDS)
            ends[number] = high
            if high > low:
                starts.append(TopicPartition(self._topic, number, high - 1))
        consumer.assign(starts)
        last: dict[int, LastRecord] = {}
        for record in consumer.consume(len(starts), _ANSWER_SECONDS) if starts else []:
            error = record.error()
            if error is not None:
                raise KafkaException(error)
            last[record.partition() or 0] = last_record(record)
        if len(last) < len(starts):
            raise KafkaException(KafkaError(KafkaError.REQUEST_TIMED_OUT, "the last records were not to be had"))
        return TopicView(topic_id, ends, last)


def last_record(record: Message) -> LastRecord:
    """Read a record of the relay's; empty for any other."""
    given = dict(record.headers() or []).get(FEED_HEADER)
    highest = int(given) if isinstance(given, bytes) and given.isdigit() else 0
    try:
        change = decode(record.value())
    except InvalidRecord:
        return LastRecord(highest, None, None)
    is_snapshot = change.op == SNAPSHOT
    return LastRecord(highest, None if is_snapshot else change.feed, None if is_snapshot else change.change_id)


def contradiction(state: RelayState, view: TopicView, topic: str) -> str | None:
    """Say in which way Kafka and the database do not go together, or None.

    Args:
        state: the relay's row.
        view: the topic as it is.
        topic: its name.
    """
    if state.topic_id == ADOPT:
        return None
    if state.topic_id is not None and state.topic_id != view.topic_id:
        return f"the topic {topic} was deleted and made again; {_MEND}"
    highest = highest_feed()
    if view.highest_feed > highest:
        return (
            f"the database has gone back in time: {topic} has change {view.highest_feed:,}, and the database "
            f"{highest:,} of them; {_MEND}"
        )
    numbers = {each.feed: each.change_id for each in view.last.values() if each.feed is not None}
    known = Change.objects.filter(feed__in=numbers).values_list("feed", "change_id")
    # A change that is missing was pruned, as its number is not too high.
    if any(numbers[feed] != str(change_id) for feed, change_id in known if feed is not None):
        return f"the database is another one: changes in {topic} have its numbers and other ids; {_MEND}"
    return None


_MEND = "publishing has stopped until the indices are made again: python -m gateway rebuild --all"


def adopt(lease: Lease, view: TopicView) -> None:
    """Note the topic as the one that the database goes with; the numbers go on behind those that it has.

    Raises:
        Superseded: another process leads, and may have published since.
    """
    with transaction.atomic():
        lease.hold()
        state = RelayState.objects.get(pk=1)
        if state.topic_id == view.topic_id:
            return
        if state.topic_id == ADOPT and view.highest_feed > highest_feed():
            state.last_feed = view.highest_feed
        state.topic_id = view.topic_id
        state.positions = {str(partition): end for partition, end in view.ends.items()}
        state.save(update_fields=["last_feed", "topic_id", "positions"])
