"""Bulk requests in the background: each write has exactly one answer, whatever Elasticsearch or the client does."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError, ConnectionError, Elasticsearch, SerializationError

from indexing.batch import Batch, Write
from indexing.bulk_response import BulkSerializer
from indexing.bulk_writer import Answer, ThreadedBulkWriter, send
from indexing.outcomes import Failure, Outcome
from indexing.verdict import DONE
from tests.support.waiting import eventually

_OPERATIONS = [b'{"create":{}}\n{}\n', b'{"create":{}}\n{}\n']


def _client(answer: Callable[[], bytes]) -> Elasticsearch:
    """A client whose server answers a bulk request with these bytes, or that raises."""

    def perform_request(*_arguments: Any, **_options: Any) -> SimpleNamespace:
        return SimpleNamespace(body=BulkSerializer().loads(answer()))

    return cast(Elasticsearch, SimpleNamespace(perform_request=perform_request))


def _raising(error: Exception) -> Elasticsearch:
    def fail() -> bytes:
        raise error

    return _client(fail)


def _api_error(status: int, body: object) -> ApiError:
    node = NodeConfig("http", "localhost", 9200)
    return ApiError("refused", ApiResponseMeta(status, "1.1", HttpHeaders(), 0.1, node), body)


def _write(number: int) -> Write:
    return Write(Batch([], number), [b"%d\n" % number], [])


def test_an_answer_has_an_item_for_each_operation_in_their_order() -> None:
    answer = b'{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"x"}}}]}'
    assert send(_client(lambda: answer), _OPERATIONS, "unit") == [DONE, (409, {"type": "x"})]


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b'{"errors":false,"items":[{"create":{"status":201}}]}', "1 items for 2 operations"),
        (b'{"errors":true,"items":[{"create":{"status":201}},{"update":{"status":200}}]}', "unknown action"),
        (b'{"took":1}', "not a bulk answer"),
    ],
)
def test_an_answer_that_is_not_about_these_operations_is_the_whole_request_again(answer: bytes, detail: str) -> None:
    found = send(_client(lambda: answer), _OPERATIONS, "unit")

    assert isinstance(found, Failure)
    assert (found.outcome, found.cause) == (Outcome.RETRY, "malformed_answer")
    assert detail in found.detail


@pytest.mark.parametrize(
    ("error", "outcome", "cause"),
    [
        (ConnectionError("refused"), Outcome.RETRY, "unreachable"),
        (SerializationError("secret"), Outcome.RETRY, "unreachable"),
        (_api_error(413, None), Outcome.SPLIT, "too_large"),
        (_api_error(403, {"error": {"type": "security_exception"}}), Outcome.STALL, "forbidden"),
        (_api_error(403, {"error": {"type": "cluster_block_exception"}}), Outcome.STALL, "blocked"),
        (_api_error(502, "<html>"), Outcome.RETRY, "unavailable"),
        (_api_error(502, {"error": "no object"}), Outcome.RETRY, "unavailable"),
        (RuntimeError("secret"), Outcome.STALL, "unexpected"),
    ],
)
def test_an_error_is_a_failure_of_the_whole_request_and_quotes_no_record(
    error: Exception, outcome: Outcome, cause: str
) -> None:
    found = send(_raising(error), _OPERATIONS, "unit")

    assert isinstance(found, Failure)
    assert (found.outcome, found.cause) == (outcome, cause)
    assert "secret" not in found.detail


def test_no_operations_are_no_request() -> None:
    assert send(_raising(AssertionError("a request was sent")), [], "unit") == []


def test_every_write_is_answered_once_though_some_requests_fail() -> None:
    answers = iter(range(100))

    def answer() -> bytes:
        if next(answers) % 3 == 0:
            raise RuntimeError
        return b'{"errors":false,"items":[{"create":{"status":201}}]}'

    writer = ThreadedBulkWriter(_client(answer), 3, "unit")
    writes = [_write(number) for number in range(30)]
    for write in writes:
        writer.submit(write)

    found: list[tuple[Write, Answer]] = []

    def are_answered() -> bool:
        found.extend(writer.answers(0.1))
        return len(found) >= len(writes)

    eventually(are_answered, "an answer to each write")
    assert sorted(write.operations[0] for write, _ in found) == sorted(write.operations[0] for write in writes)
    assert sum(isinstance(each, Failure) for _, each in found) == 10
    assert not list(writer.answers(0))
