"""Creates the topics of the audit trail."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from contracts.query_event.topics import TopicSettings
from indexing.dead_letter import MAX_ENVELOPE_BYTES
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

PARTITIONS = 6
_MAX_REPLICAS = 3
_ANSWER_SECONDS = 30.0
_MS_PER_DAY = 86_400_000


def create_topics(kafka: KafkaSettings, topics: TopicSettings) -> list[str]:
    """Create the topics that are not there yet; those that are stay as they are.

    Returns:
        a line about each topic.

    Raises:
        confluent_kafka.KafkaException: the cluster does not answer within 30 seconds, or refuses.
    """
    admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
    replicas = min(_MAX_REPLICAS, len(admin.list_topics(timeout=_ANSWER_SECONDS).brokers))
    wanted = [
        NewTopic(
            topics.topic,
            num_partitions=PARTITIONS,
            replication_factor=replicas,
            config={
                # When an event arrived, whatever its producer's clock says; the sink chooses its index by it.
                "message.timestamp.type": "LogAppendTime",
                "retention.ms": str(7 * _MS_PER_DAY),
                "min.insync.replicas": str(max(1, replicas - 1)),
            },
        ),
        NewTopic(
            topics.dlq_topic,
            num_partitions=1,
            replication_factor=replicas,
            config={
                "retention.ms": str(90 * _MS_PER_DAY),
                "max.message.bytes": str(MAX_ENVELOPE_BYTES),
                "min.insync.replicas": str(max(1, replicas - 1)),
            },
        ),
    ]
    done = []
    for name, future in admin.create_topics(wanted, request_timeout=_ANSWER_SECONDS).items():
        try:
            future.result()
            done.append(f"{name}: created")
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
            done.append(f"{name}: is there already")
    return done
