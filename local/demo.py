"""Demo of the main job: a search, the answer, its event on the topic, and the document in the audit index."""

import json
import time
from typing import Any

import urllib3
from confluent_kafka import Consumer, TopicPartition
from rich.console import Console
from urllib3.exceptions import HTTPError

from local import inventory
from local.errors import StackError
from local.services import TOPIC, USER, Services

QUERY = "Hostname = octoxlabs*"
_WAIT_SECONDS = 30

_HTTP = urllib3.PoolManager(retries=False, timeout=10.0)


def authorization() -> str:
    """The demo user's credentials."""
    return inventory.authorization(USER)


def show(services: Services, console: Console) -> None:
    """Do the main job and print what can be seen of it.

    Raises:
        StackError: an answer, the event or the document is missing or wrong.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": services.servers.kafka.bootstrap_servers,
            "group.id": "demo",  # librdkafka wants one, even where no group is joined
            "enable.auto.commit": False,
        }
    )
    try:
        _stand_at_the_end(consumer)
        answer = search(services)
        console.print(f"\n[bold]The answer[/] to  {QUERY}")
        console.print_json(json.dumps({**answer, "results": answer["results"][:1]}))
        names = ", ".join(sorted(device["Hostname"] for device in answer["results"]))
        console.print(f"{answer['count']} devices, the first one shown: {names}")
        value = _event(consumer, answer["query_id"])
        console.print(f"\n[bold]The event[/], as  kcat -C -t {TOPIC}  shows it")
        console.out(value, highlight=False)
    finally:
        consumer.close()
    written = inventory.write(services)
    console.print(f"\n[bold]The write[/] of {written.path}, and what a search with its token finds")
    console.print_json(json.dumps(written.found))
    console.print(f"found {written.milliseconds:.0f} ms after it was written")
    document = find_document(services, answer["query_id"])
    console.print(f"\n[bold]The document[/] in {document['_index']}")
    console.print_json(json.dumps(document["_source"]))


def _stand_at_the_end(consumer: Consumer) -> None:
    partitions = consumer.list_topics(TOPIC, timeout=_WAIT_SECONDS).topics[TOPIC].partitions
    consumer.assign(
        [
            TopicPartition(TOPIC, partition, consumer.get_watermark_offsets(TopicPartition(TOPIC, partition))[1])
            for partition in partitions
        ]
    )


def search(services: Services) -> dict[str, Any]:
    """Ask the gateway for the demo's devices.

    Raises:
        StackError: it does not answer, or not with them.
    """
    url, headers = f"{services.gateway_url}/search", {"Authorization": authorization()}
    try:
        answer = _HTTP.request("POST", url, json={"query": QUERY, "index": "devices"}, headers=headers)
    except HTTPError as error:
        raise StackError(f"the gateway does not answer: {type(error).__name__}") from error
    body: dict[str, Any] = answer.json()
    if answer.status != 200:
        raise StackError(f"the search was answered with {answer.status}: {body.get('detail', body)}")
    if "octoxlabs01" not in {device["Hostname"] for device in body["results"]}:
        raise StackError("the search did not find octoxlabs01")
    return body


def _event(consumer: Consumer, event_id: str) -> str:
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            value = message.value() or b""
            if json.loads(value)["event_id"] == event_id:
                return value.decode()
    raise StackError(f"the event {event_id} did not appear on {TOPIC} within {_WAIT_SECONDS} s")


def find_document(services: Services, event_id: str) -> dict[str, Any]:
    """Wait for an event's document in the audit index.

    Raises:
        StackError: it does not appear.
    """
    url = f"{services.servers.elasticsearch.url}/query-logs-*/_search"
    query = {"query": {"ids": {"values": [event_id]}}}
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        answer = _HTTP.request("POST", url, json=query)
        # The day's index is there before its shard can be searched.
        hits: list[dict[str, Any]] = answer.json()["hits"]["hits"] if answer.status == 200 else []
        if hits:
            return hits[0]
        time.sleep(0.2)
    raise StackError(f"the document {event_id} did not appear in query-logs-* within {_WAIT_SECONDS} s")
