"""Process of an indexing consumer: its parts put together, served until a signal ends it."""

import logging

from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from indexing.bulk_writer import ThreadedBulkWriter
from indexing.dead_letter_queue import DeadLetterQueue
from indexing.group import ConsumerGroup
from indexing.loop import DRAIN_SECONDS, Loop, Progress
from indexing.metrics import expose
from indexing.offsets import OffsetTracker
from indexing.projection import Projection
from indexing.settings import IndexingSettings
from kit.health import serve_health
from kit.kafka import KafkaSettings
from kit.settings import ConfigurationError
from kit.stop import stop_on_signals

logger = logging.getLogger(__name__)

# Leaving the group comes after the drain, and can hang inside librdkafka; most supervisors kill after ten seconds.
_STOP_SECONDS = DRAIN_SECONDS + 4.0


def serve(  # pylint: disable=too-many-arguments  # all that a consumer is made of
    projection: Projection,
    settings: IndexingSettings,
    *,
    topic: str,
    dead_letter_topic: str,
    kafka: KafkaSettings,
    elasticsearch: ElasticsearchSettings,
    progress: Progress | None = None,
) -> None:
    """Index a topic in the foreground until SIGTERM or SIGINT, then settle and commit.

    A watchdog ends a process that hangs after that, with exit status 1.

    Args:
        projection: what a record of the topic becomes.
        settings: how it is read, batched and written.
        topic: what is read.
        dead_letter_topic: where unreadable and refused records go.
        kafka: how Kafka is reached.
        elasticsearch: how Elasticsearch is reached.
        progress: is told of what is settled.

    Raises:
        ConfigurationError: the address of health and metrics cannot be had.
        confluent_kafka.KafkaException: a client is beyond recovery.
    """
    expose(projection.name)
    # One connection more than is in flight, for readiness.
    cluster = ElasticsearchExchange.to(elasticsearch, settings.in_flight + 1)
    tracker = OffsetTracker()
    loop = Loop(
        projection,
        settings,
        cluster,
        tracker=tracker,
        group=ConsumerGroup(kafka, topic, settings.group_id, tracker, projection.name),
        writer=ThreadedBulkWriter(cluster, settings.in_flight, projection.name),
        letters=DeadLetterQueue(kafka, dead_letter_topic, projection.name),
        progress=progress,
    )

    stop_on_signals(loop.stopping, _STOP_SECONDS)
    try:
        serve_health(loop, projection.name, settings.metrics_host, settings.metrics_port)
    except OSError as error:
        prefix = settings.model_config["env_prefix"]
        raise ConfigurationError(f"{prefix}METRICS_HOST, {prefix}METRICS_PORT: {error}") from None
    loop.run()
    logger.info("stopped")
