"""Bulk requests in the background: each write has exactly one answer, whatever Elasticsearch or the client does."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from elastic.exchange import ElasticsearchExchange
from indexing.batch import Batch, Write
from indexing.bulk_writer import Answer, ThreadedBulkWriter, send
from indexing.outcomes import Failure, Outcome
from indexing.verdict import DONE
from kit.http_exchange import AnswerTooLarge, NoAnswer
from tests.support.waiting import eventually

_OPERATIONS = [b'{"create":{}}\n{}\n', b'{"create":{}}\n{}\n']


def _cluster(answer: Callable[[], bytes], status: int = 200) -> ElasticsearchExchange:
    """An Elasticsearch that answers a bulk request with these bytes, or fails as the function does."""

    def ask(*_arguments: Any, **_options: Any) -> SimpleNamespace:
        return SimpleNamespace(status=status, body=answer())

    return cast(ElasticsearchExchange, SimpleNamespace(ask=ask))


def _failing(error: Exception) -> ElasticsearchExchange:
    def fail() -> bytes:
        raise error

    return _cluster(fail)


def _refusing(status: int, body: object) -> ElasticsearchExchange:
    return _cluster(lambda: body if isinstance(body, bytes) else orjson.dumps(body), status)


def _write(number: int) -> Write:
    return Write(Batch([], number), [b"%d\n" % number], [])


def test_an_answer_has_an_item_for_each_operation_in_their_order() -> None:
    answer = b'{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"x"}}}]}'
    assert send(_cluster(lambda: answer), _OPERATIONS, "unit") == [DONE, (409, {"type": "x"})]


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b'{"errors":false,"items":[{"create":{"status":201}}]}', "1 items for 2 operations"),
        (b'{"errors":true,"items":[{"create":{"status":201}},{"update":{"status":200}}]}', "unknown action"),
        (b'{"took":1}', "not a bulk answer"),
    ],
)
def test_an_answer_that_is_not_about_these_operations_is_the_whole_request_again(answer: bytes, detail: str) -> None:
    found = send(_cluster(lambda: answer), _OPERATIONS, "unit")

    assert isinstance(found, Failure)
    assert (found.outcome, found.cause) == (Outcome.RETRY, "malformed_answer")
    assert detail in found.detail


@pytest.mark.parametrize(
    ("cluster", "outcome", "cause"),
    [
        (_failing(NoAnswer("refused")), Outcome.RETRY, "unreachable"),
        (_failing(AnswerTooLarge("over the limit")), Outcome.SPLIT, "too_large"),
        (_cluster(lambda: b"<html>secret"), Outcome.RETRY, "malformed_answer"),
        (_refusing(413, b""), Outcome.SPLIT, "too_large"),
        (_refusing(403, {"error": {"type": "security_exception", "reason": "secret"}}), Outcome.STALL, "forbidden"),
        (_refusing(403, {"error": {"type": "cluster_block_exception"}}), Outcome.STALL, "blocked"),
        (_refusing(502, b"<html>secret"), Outcome.RETRY, "unavailable"),
        (_refusing(502, {"error": "secret"}), Outcome.RETRY, "unavailable"),
        (_failing(RuntimeError("secret")), Outcome.STALL, "unexpected"),
    ],
)
def test_an_error_is_a_failure_of_the_whole_request_and_quotes_no_record(
    cluster: ElasticsearchExchange, outcome: Outcome, cause: str
) -> None:
    found = send(cluster, _OPERATIONS, "unit")

    assert isinstance(found, Failure)
    assert (found.outcome, found.cause) == (outcome, cause)
    assert "secret" not in found.detail


def test_no_operations_are_no_request() -> None:
    assert send(_failing(AssertionError("a request was sent")), [], "unit") == []


def test_every_write_is_answered_once_though_some_requests_fail() -> None:
    answers = iter(range(100))

    def answer() -> bytes:
        if next(answers) % 3 == 0:
            raise RuntimeError
        return b'{"errors":false,"items":[{"create":{"status":201}}]}'

    writer = ThreadedBulkWriter(_cluster(answer), 3, "unit")
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
