"""Writer of bulk requests: several at once, each in a thread of its own."""

import queue
import threading
from collections.abc import Iterator
from http import HTTPStatus

from elastic.exchange import ElasticsearchExchange
from elastic.lenient_json import read_object
from indexing.batch import Write
from indexing.batch_span import batch_span
from indexing.bulk_response import PARTS, read_items
from indexing.metrics import BULK_OPERATIONS, BULK_SECONDS
from indexing.outcomes import Failure, Outcome, classify_status
from indexing.verdict import Item
from kit.http_exchange import AnswerTooLarge, NoAnswer
from kit.tracing import fail

# After this long without an answer a bulk request counts as failed.
_TIMEOUT_SECONDS = 30.0

_TARGET = f"/_bulk?filter_path={PARTS}"
_HEADERS = {"content-type": "application/x-ndjson"}

Answer = list[Item] | Failure
"""Items of a bulk answer, one for each operation, or the reason why there are none."""


class ThreadedBulkWriter:
    """Writes in the background; every write that is submitted has exactly one answer.

    Args:
        elasticsearch: the cluster.
        in_flight: requests under way at once; further writes wait in line.
        consumer: name of the consumer, for metrics.
    """

    def __init__(self, elasticsearch: ElasticsearchExchange, in_flight: int, consumer: str) -> None:
        self._answers: queue.SimpleQueue[tuple[Write, Answer]] = queue.SimpleQueue()
        self._elasticsearch = elasticsearch
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
                answer = send(self._elasticsearch, write.operations, self._consumer)
                if isinstance(answer, Failure):
                    fail(span, answer.cause)
            self._answers.put((write, answer))


def send(  # pylint: disable=too-many-return-statements  # a way to fail each
    elasticsearch: ElasticsearchExchange, operations: list[bytes], consumer: str
) -> Answer:
    """Send one bulk request, once.

    Args:
        elasticsearch: the cluster.
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
            answer = elasticsearch.ask(
                "POST", _TARGET, timeout=_TIMEOUT_SECONDS, body=b"".join(operations), headers=_HEADERS
            )
        if answer.status != HTTPStatus.OK:
            return classify_status(answer.status, _error_type(answer.body))
        return read_items(answer.body, len(operations))
    except AnswerTooLarge as error:
        # Fewer operations have a shorter answer; those that were done are found to be done.
        return Failure(Outcome.SPLIT, "too_large", str(error))
    except NoAnswer as error:
        return Failure(Outcome.RETRY, "unreachable", f"{type(error).__name__}: {str(error)[:500]}")
    except ValueError as error:
        return Failure(Outcome.RETRY, "malformed_answer", str(error))
    # Whatever else there may be: the thread would die of it, and its write with it.
    except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
        return Failure(Outcome.STALL, "unexpected", type(error).__name__)


def _error_type(body: bytes | bytearray) -> str | None:
    error = read_object(body).get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    return kind if isinstance(kind, str) else None
