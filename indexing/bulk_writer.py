"""Sends bulk requests to Elasticsearch, several at once, each in a thread of its own."""

import queue
import threading
from typing import Any

from elasticsearch import ApiError, Elasticsearch, SerializationError, TransportError, UnsupportedProductError

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from indexing.batch import Write
from indexing.batch_span import batch_span
from indexing.bulk_response import BulkAnswer, BulkSerializer
from indexing.metrics import BULK_EVENTS, BULK_SECONDS
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


class BulkWriter:  # pylint: disable=too-few-public-methods  # it has threads, so it is no function
    """Writes in the background; every write that is submitted has exactly one answer in ``answers``.

    Args:
        client: one that does not retry by itself.
        in_flight: requests under way at once; further writes wait in line.
    """

    def __init__(self, client: Elasticsearch, in_flight: int) -> None:
        self.answers: queue.SimpleQueue[tuple[Write, list[Item] | Failure]] = queue.SimpleQueue()
        self._client = client
        self._writes: queue.SimpleQueue[Write] = queue.SimpleQueue()
        for number in range(in_flight):
            # Daemons: a request that hangs must not keep the process from ending.
            threading.Thread(target=self._work, name=f"bulk-{number}", daemon=True).start()

    def submit(self, write: Write) -> None:
        """Put a write in line."""
        self._writes.put(write)

    def _work(self) -> None:
        while True:
            write = self._writes.get()
            with batch_span(write) as span:
                answer = send(self._client, write.lines)
                if isinstance(answer, Failure):
                    fail(span, answer.cause)
            self.answers.put((write, answer))


def send(client: Elasticsearch, lines: list[bytes]) -> list[Item] | Failure:
    """Send one bulk request.

    Args:
        client: one that does not retry by itself.
        lines: each event's lines of the body; for none, nothing is sent.

    Returns:
        the answer's items, as many as there were events, or why there is no such answer.
    """
    if not lines:
        return []
    BULK_EVENTS.observe(len(lines))
    try:
        with BULK_SECONDS.time():
            answer = client.perform_request("POST", _PATH, headers=_HEADERS, body=b"".join(lines)).body
    except SerializationError as error:
        # Its text quotes the answer, which quotes events.
        return Failure(Outcome.RETRY, "unreachable", type(error).__name__)
    except (TransportError, UnsupportedProductError) as error:
        return Failure(Outcome.RETRY, "unreachable", f"{type(error).__name__}: {str(error)[:500]}")
    except ApiError as error:
        return classify_status(error.status_code, _error_type(error.body))
    # Whatever else there may be: the thread would die of it, and its write with it.
    except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
        return Failure(Outcome.STALL, "unexpected", type(error).__name__)
    return _items(answer, len(lines))


def _items(answer: Any, expected: int) -> list[Item] | Failure:
    if not isinstance(answer, BulkAnswer):
        return Failure(Outcome.RETRY, "malformed_answer", "the answer is not a bulk answer")
    items = answer.outcomes()
    if len(items) != expected:
        return Failure(Outcome.RETRY, "malformed_answer", f"the answer has {len(items)} items for {expected} events")
    return items


def _error_type(body: Any) -> str | None:
    error = body.get("error") if isinstance(body, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    return kind if isinstance(kind, str) else None
