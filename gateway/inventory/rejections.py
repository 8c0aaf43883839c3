"""Documents that their index has refused: the indexer's dead letters, noted at the documents themselves."""

import logging
import threading

from confluent_kafka import Consumer, KafkaException, Message
from django.db import DatabaseError, connection

from contracts.inventory_change.change import VERSION_HEADER
from contracts.inventory_change.topics import REJECTIONS_GROUP
from gateway.inventory.metrics import INDEX_REJECTED
from gateway.inventory.models import Document, IndexState
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config
from kit.logs import OncePerInterval, describe

logger = logging.getLogger(__name__)
logger.addFilter(OncePerInterval())

_READ_RECORDS = 100
_READ_SECONDS = 0.5
_PAUSE_SECONDS = 2.0


class Rejections:  # pylint: disable=too-few-public-methods  # it runs
    """Notes refused documents for as long as it runs.

    Args:
        kafka: how the cluster is reached.
        topic: the dead-letter topic.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic

    def run(self, stopping: threading.Event) -> None:
        """Work until ``stopping`` is set."""
        while not stopping.is_set():
            consumer = self._connect()
            try:
                self._read(consumer, stopping)
            except (DatabaseError, KafkaException) as error:
                logger.error("refused documents are not noted until this is mended: %s", describe(error))
                connection.close()
                stopping.wait(_PAUSE_SECONDS)
            finally:
                consumer.close()

    def _connect(self) -> Consumer:
        return Consumer(
            client_config(self._kafka)
            | {
                "client.id": "worker",
                "group.id": REJECTIONS_GROUP,
                "enable.auto.commit": False,
                # To note one again changes nothing.
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 16 * 1024,
            },
            logger=LIBRDKAFKA,
        )

    def _read(self, consumer: Consumer, stopping: threading.Event) -> None:
        consumer.subscribe([self._topic])
        while not stopping.is_set():
            letters = [record for record in consumer.consume(_READ_RECORDS, _READ_SECONDS) if record.error() is None]
            for letter in letters:
                note(letter)
            if letters:
                consumer.commit(asynchronous=False)


def note(letter: Message) -> None:
    """Note a refused document, unless it has been written anew since."""
    headers = dict(letter.headers() or [])
    subject, version = headers.get("ce_subject"), headers.get(VERSION_HEADER)
    if not isinstance(subject, bytes) or not isinstance(version, bytes) or not version.isdigit():
        return
    type_, _, document_id = subject.decode("ascii", "replace").partition("/")
    refused = Document.objects.filter(type=type_, document_id=document_id, version=int(version))
    INDEX_REJECTED.inc(refused.update(index_state=IndexState.REJECTED))
