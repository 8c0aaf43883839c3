"""Sends bulk requests to Elasticsearch, several at once, each in a thread of its own."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

from elasticsearch import ApiError, Elasticsearch, SerializationError, TransportError, UnsupportedProductError

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from indexing.batch import Write
from indexing.batch_span import batch_span
from indexing.bulk_response import BulkAnswer, BulkSerializer
from indexing.metrics import BULK_OPERATIONS, BULK_SECONDS
from indexing.outcomes import Failure, Outcome, classify_status
from indexing.verdict import Item
from kit.tracing import fail

# After this long without an answer a bulk request counts as failed.
_TIMEOUT_SECONDS = 30.0

_PATH = "/_bulk?filter_path=errors,took,items.*.status,items.*.error"
_HEADERS = {"accept": "application/json", "content-type": "application/x-ndjson"}


def connect_for_bulk(settings: ElasticsearchSettings, connections: int = 1) -> Elasticsearch:
    """Make a client for bulk requests, and a few others; nothing is sent yet.

    Args:
        settings: the server's address and credentials.
        connections: keep-alive connections held open at most.
    """
    return connect(settings, request_timeout=_TIMEOUT_SECONDS, connections=connections, serializer=BulkSerializer())


Answer = list[Item] | Failure
"""Items of a bulk answer, one for each operation, or the reason why there are none."""


class ThreadedBulkWriter:
    """Writes in the background; every write that is submitted has exactly one answer.

    Args:
        client: one that does not retry by itself.
        in_flight: requests under way at once; further writes wait in line.
        consumer: name of the consumer, for metrics.
    """

    def __init__(self, client: Elasticsearch, in_flight: int, consumer: str) -> None:
        self._answers: queue.SimpleQueue[tuple[Write, Answer]] = queue.SimpleQueue()
        self._client = client
        self._consumer = consumer
        self._writes: queue.SimpleQueue[Write] = queue.SimpleQueue()
        for number in range(in_flight):
            # Daemons: a request that hangs must not keep the process from ending.
            threading.Thread(target=self._work, name=f"bulk-{number}", daemon=True).start()

    def submit(self, write: Write) -> None:
        """Put a write in line."""
        self._writes.put(write)

    def answers(self, timeout: float) -> Iterator[tuple[Write, Answer]]:
        """Take the answers that are there; wait up to ``timeout`` seconds for the first."""
        try:
            yield self._answers.get(timeout=timeout) if timeout else self._answers.get_nowait()
            while True:
                yield self._answers.get_nowait()
        except queue.Empty:
            pass

    def _work(self) -> None:
        while True:
            write = self._writes.get()
            with batch_span(write) as span:
                answer = send(self._client, write.operations, self._consumer)
                if isinstance(answer, Failure):
                    fail(span, answer.cause)
            self._answers.put((write, answer))


def send(client: Elasticsearch, operations: list[bytes], consumer: str) -> Answer:
    """Send one bulk request.

    Args:
        client: one that does not retry by itself.
        operations: each with its lines of the body; for none, nothing is sent.
        consumer: name of the consumer, for metrics.

    Returns:
        the answer's items, as many as there were operations, or the reason why there is no such answer.
    """
    if not operations:
        return []
    BULK_OPERATIONS.labels(consumer).observe(len(operations))
    try:
        with BULK_SECONDS.labels(consumer).time():
            answer = client.perform_request("POST", _PATH, headers=_HEADERS, body=b"".join(operations)).body
    except SerializationError as error:
        # Its text quotes the answer, which quotes records.
        return Failure(Outcome.RETRY, "unreachable", type(error).__name__)
    except (TransportError, UnsupportedProductError) as error:
        return Failure(Outcome.RETRY, "unreachable", f"{type(error).__name__}: {str(error)[:500]}")
    except ApiError as error:
        return classify_status(error.status_code, _error_type(error.body))
    # Whatever else there may be: the thread would die of it, and its write with it.
    except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
        return Failure(Outcome.STALL, "unexpected", type(error).__name__)
    return _items(answer, len(operations))


def _items(answer: Any, expected: int) -> Answer:
    if not isinstance(answer, BulkAnswer):
        return Failure(Outcome.RETRY, "malformed_answer", "the answer is not a bulk answer")
    items = answer.outcomes()
    if items is None:
        return Failure(Outcome.RETRY, "malformed_answer", "the answer has an item of an unknown action")
    if len(items) != expected:
        return Failure(
            Outcome.RETRY, "malformed_answer", f"the answer has {len(items)} items for {expected} operations"
        )
    return items


def _error_type(body: Any) -> str | None:
    error = body.get("error") if isinstance(body, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    return kind if isinstance(kind, str) else None
