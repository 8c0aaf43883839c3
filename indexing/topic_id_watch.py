"""Watch of a topic's id: whether the topic was deleted and made again.

librdkafka goes on at the old offsets in the new topic, and says nothing of what it skips.
"""

import time
from concurrent.futures import Future

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._topic import TopicDescription

from kit.kafka import describe_topic

_ANSWER_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 5.0


class TopicIdWatch:
    """Watch of one topic, used from one thread.

    Args:
        admin: a client of the cluster.
        topic: the topic.
    """

    def __init__(self, admin: AdminClient, topic: str) -> None:
        self._admin = admin
        self._topic = topic
        self._asked: Future[TopicDescription] | None = None
        self._next_look = 0.0

    def topic_id(self) -> str:
        """Ask for the topic's id.

        Raises:
            confluent_kafka.KafkaException: Kafka does not answer within five seconds, or has no such topic.
            TimeoutError: likewise.
        """
        return str(self._ask().result(_ANSWER_SECONDS).topic_id)

    def has_changed(self, topic_id: str | None) -> bool:
        """Whether the topic is seen to have another id, by a look every few seconds that nothing waits for.

        Args:
            topic_id: the id that it had; None for one that is not known yet, which is no change.
        """
        if self._asked is None:
            if time.monotonic() >= self._next_look:
                self._next_look = time.monotonic() + _LOOK_EVERY_SECONDS
                self._asked = self._ask()
            return False
        if not self._asked.done():
            return False
        answer, self._asked = self._asked, None
        return answer.exception() is None and topic_id is not None and str(answer.result().topic_id) != topic_id

    def _ask(self) -> "Future[TopicDescription]":
        return describe_topic(self._admin, self._topic, _ANSWER_SECONDS)
