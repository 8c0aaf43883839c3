"""Creation of a consumer's topics."""

from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from indexing.dead_letter import MAX_ENVELOPE_BYTES
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

PARTITIONS = 6
"""Of the topic of a consumer."""
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 24 * MS_PER_HOUR
_MAX_REPLICAS = 3
_ANSWER_SECONDS = 30.0


def create_topics(kafka: KafkaSettings, wanted: Callable[[int], list[NewTopic]]) -> list[str]:
    """Create the topics that are not there yet; those that are stay as they are.

    Args:
        kafka: how the cluster is reached.
        wanted: the topics for so many replicas.

    Returns:
        a line about each topic.

    Raises:
        confluent_kafka.KafkaException: the cluster does not answer within 30 seconds, or refuses.
    """
    admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
    replicas = min(_MAX_REPLICAS, len(admin.list_topics(timeout=_ANSWER_SECONDS).brokers))
    done = []
    for name, future in admin.create_topics(wanted(replicas), request_timeout=_ANSWER_SECONDS).items():
        try:
            future.result()
            done.append(f"{name}: created")
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
            done.append(f"{name}: is there already")
    return done


def topic(name: str, replicas: int, config: Mapping[str, str]) -> NewTopic:
    """The topic that a consumer reads."""
    return _topic(name, PARTITIONS, replicas, {"retention.ms": str(7 * MS_PER_DAY), **config})


def dead_letter_topic(name: str, replicas: int) -> NewTopic:
    """A topic of dead letters, which people look through: one partition, for three months."""
    return _topic(
        name, 1, replicas, {"retention.ms": str(90 * MS_PER_DAY), "max.message.bytes": str(MAX_ENVELOPE_BYTES)}
    )


def short_lived_topic(name: str, replicas: int) -> NewTopic:
    """A topic of signals, which are worth nothing an hour later: one partition."""
    # A segment is deleted as a whole, so it must not be filled for longer than a record may stay.
    return _topic(name, 1, replicas, {"retention.ms": str(MS_PER_HOUR), "segment.ms": str(MS_PER_HOUR)})


def _topic(name: str, partitions: int, replicas: int, config: Mapping[str, str]) -> NewTopic:
    durable = {"min.insync.replicas": str(max(1, replicas - 1))}
    return NewTopic(name, num_partitions=partitions, replication_factor=replicas, config={**durable, **config})
