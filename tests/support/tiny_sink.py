"""A second consumer on ``indexing``: a topic of puts and deletes, as ``python -m tests.support.tiny_sink``.

A record is ``{"id": "a", "op": "put" | "delete" | "skip"}``, and a put has a text as its ``value``: the document of the
id is written, deleted or left alone. It proves that the seam takes a projection that writes with ``index`` and
``delete``, or nothing at all.
"""

import sys
from typing import Any

import orjson
from confluent_kafka import Message

from audit_sink.settings import SinkSettings
from contracts.query_event.topics import TopicSettings
from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from indexing import log
from indexing.consumer import serve
from indexing.projection import Place, Unreadable
from indexing.readiness import unready
from kit.kafka import KafkaSettings

TEMPLATE: dict[str, Any] = {
    "index_patterns": ["tiny-*"],
    "template": {
        "settings": {"number_of_replicas": 0},
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "partition": {"type": "integer"},
                "value": {"type": "keyword", "index": False, "doc_values": False},
            },
        },
    },
}
"""Index template of the documents."""


class TinyProjection:
    """Projection of puts and deletes to one index.

    Args:
        index: name of the index.
    """

    name = "tiny-sink"

    def __init__(self, index: str) -> None:
        self._index = index

    def operations(self, record: Message, place: Place) -> list[bytes]:
        """Make the operation of a record, in its version: a record of one id is always behind those before it.

        Raises:
            Unreadable: the record is no put, delete or skip.
        """
        try:
            value = orjson.loads(record.value() or b"")
            target = {
                "_index": self._index,
                "_id": value["id"],
                "version": place.offset + 1,
                "version_type": "external",
            }
            lines: dict[str, list[dict[str, object]]] = {
                "put": [{"index": target}, {"partition": place.partition, "value": value.get("value")}],
                "delete": [{"delete": target}],
                "skip": [],
            }
            wanted = lines[value["op"]]
        except (ValueError, KeyError, TypeError):
            raise Unreadable("tiny", "no put, delete or skip") from None
        return [b"".join(orjson.dumps(line) + b"\n" for line in wanted)] if wanted else []

    def unready(self, elasticsearch: ElasticsearchExchange) -> str | None:
        """Say what keeps documents out, or None: the index must get its mapping from the template."""
        return unready(elasticsearch, self._index)


def main() -> int:
    """Serve until a signal."""
    settings, topics = SinkSettings.load(), TopicSettings.load()
    log.configure("audit_sink", settings.log_format)
    serve(
        TinyProjection(f"{settings.index_prefix}all"),
        settings,
        topic=topics.topic,
        dead_letter_topic=topics.dlq_topic,
        kafka=KafkaSettings.load(),
        elasticsearch=ElasticsearchSettings.load(),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
