"""Other ways to bring a topic's events into an index; each runs until it is ended.

``python -m tests.benchmarks.sink_peers loop|quix BOOTSTRAP TOPIC GROUP ELASTICSEARCH INDEX``. Both write the fields of
the audit sink's own documents.
"""

import json
import sys
from typing import Any


def document(event: dict[str, Any], partition: int, offset: int) -> dict[str, Any]:
    """The audit sink's document of an event, made without a look at whether it is one."""
    data, metadata = event["data"], event["metadata"]
    return {
        "@timestamp": event["timestamp"],
        "event": {
            "id": event["event_id"],
            "action": event["event_type"],
            "outcome": "success",
            "duration": data["took_ms"] * 1_000_000,
        },
        "user": {"name": event["user_id"]},
        "source": {"ip": metadata["client_ip"]},
        "user_agent": {"original": metadata["user_agent"]},
        "http": {"request": {"id": metadata["request_id"]}, "response": {"status_code": data["status"]}},
        "trace": {"id": metadata["trace_id"]},
        "sluice": {
            "query": data["query"],
            "index": data["index"],
            "hits": data["hits"],
            "dsl": data["dsl"],
            "kafka": {"partition": partition, "offset": offset},
        },
    }


def loop(bootstrap: str, topic: str, group: str, url: str, index: str) -> None:
    """The loop that most people write: consume 500, decode, bulk helper, commit."""
    # pylint: disable=import-outside-toplevel  # quixstreams' virtual environment has other versions of both
    from confluent_kafka import Consumer
    from elasticsearch import Elasticsearch, helpers

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    client = Elasticsearch(url)
    consumer.subscribe([topic])
    while True:
        records = [record for record in consumer.consume(500, 1.0) if record.error() is None]
        if records:
            helpers.bulk(
                client,
                (
                    {
                        "_index": index,
                        "_source": document(
                            json.loads(record.value() or b""), record.partition() or 0, record.offset() or 0
                        ),
                    }
                    for record in records
                ),
            )
            consumer.commit(asynchronous=False)


def quix(bootstrap: str, topic: str, group: str, url: str, index: str) -> None:
    """Quix Streams with its Elasticsearch sink, its defaults except for the ids, which are the events'."""
    # pylint: disable=import-outside-toplevel,import-error  # it lives in a virtual environment of its own
    from elasticsearch import Elasticsearch
    from quixstreams import Application, message_context
    from quixstreams.sinks.community.elasticsearch import ElasticsearchSink

    class Sink(ElasticsearchSink):  # type: ignore[misc]  # pylint: disable=too-few-public-methods  # untyped here
        """Without the look at ``GET /``, which the embedded server does not answer, and with an index that exists."""

        def setup(self) -> None:
            """Connect."""
            self._client = Elasticsearch(**self._client_kwargs)  # pylint: disable=attribute-defined-outside-init

    def finished(event: dict[str, Any]) -> dict[str, Any]:
        context = message_context()
        return document(event, context.partition, context.offset)

    application = Application(
        broker_address=bootstrap, consumer_group=group, auto_offset_reset="earliest", loglevel="WARNING"
    )
    events = application.dataframe(application.topic(topic, value_deserializer="json"))
    events.apply(finished).sink(Sink(url, index, document_id_setter=lambda item: item.value["event"]["id"]))
    application.run()


if __name__ == "__main__":
    {"loop": loop, "quix": quix}[sys.argv[1]](*sys.argv[2:])
