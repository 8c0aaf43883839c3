"""Documents that their index has refused: the indexer's dead letters, noted at the documents themselves."""

import logging
import threading
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, Message
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from elasticsearch import ApiError, TransportError

from contracts.invalid import InvalidRecord
from contracts.inventory_change.reader import decode
from contracts.inventory_change.topics import REJECTIONS_GROUP
from contracts.raw_json import NULL
from gateway.inventory.comparison import remaining
from gateway.inventory.indices import Indices
from gateway.inventory.metrics import INDEX_REJECTED
from gateway.inventory.models import Document, IndexState
from gateway.inventory.relay.composition import IndexedTypes, TypeIndices
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
        indices: the indices of all types.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, indices: Indices) -> None:
        self._kafka = kafka
        self._topic = topic
        self._indices = indices

    def run(self, stopping: threading.Event) -> None:
        """Work until ``stopping`` is set."""
        while not stopping.is_set():
            consumer = self._connect()
            try:
                self._read(consumer, stopping)
            except (DatabaseError, KafkaException, ApiError, TransportError) as error:
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
                note(letter, self._indices)
            if letters:
                consumer.commit(asynchronous=False)


def note(letter: Message, indices: Indices) -> None:
    """Note the refused documents of a record that the indices which are searched do not have.

    A record has what several indices shall hold, and the letter does not say which one has refused it. Another of them,
    or one that is gone, concerns no search; and one that has been written anew since is not the one that was refused.
    """
    physical = {each.physical: each for each in IndexedTypes.read().indices.values()}
    for index, document_id, version in _entries(letter):
        each = physical.get(index)
        if each is not None and indices.versions(index, [document_id]).get(document_id, 0) < version:
            refused = _in_version(each, document_id, version)
            INDEX_REJECTED.inc(refused.update(index_state=IndexState.REJECTED))


def note_comparison(each: TypeIndices, indices: Indices, index: str, left: Mapping[str, int]) -> None:
    """Note what an index refuses, now that it was compared with the database, and what it has by now.

    Args:
        index: the one that is searched, or will be in a moment.
        left: the versions of those that it refuses, by id.
    """
    for document_id, version in left.items():
        _in_version(each, document_id, version).update(index_state=IndexState.REJECTED)
    rejected = Document.objects.filter(type=each.declared.name, index_state=IndexState.REJECTED)
    rows = list(rejected.values_list("pk", "document_id", _version_of(each)))
    refused = remaining(each, indices, index, {pk: version for pk, _, version in rows})
    for _, document_id, version in rows:
        if document_id not in refused:
            _in_version(each, document_id, version).update(index_state=IndexState.PENDING)


def _entries(letter: Message) -> list[tuple[str, str, int]]:
    """Index, id and version of each document that a letter's record has; none of one that is no change.

    Deletions are left out: no index refuses one, and it has no version of what it does not have.
    """
    try:
        entries = decode(letter.value()).documents
    except InvalidRecord:
        return []
    return [(entry.index, entry.id, entry.version) for entry in entries if bytes(entry.document) != bytes(NULL)]


def _in_version(each: TypeIndices, document_id: str, version: int) -> QuerySet[Document]:
    return Document.objects.filter(type=each.declared.name, document_id=document_id, **{_version_of(each): version})


def _version_of(each: TypeIndices) -> str:
    """The column with the version that a type's documents have in their index."""
    return "tree_version" if each.declared.embed else "version"
