"""A bulk request that is never answered."""

import threading

import pytest

from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from indexing.bulk_writer import send
from indexing.outcomes import Failure, Outcome
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.faulty_proxy import Reply


def test_a_bulk_request_that_times_out_is_tried_again(
    proxy: FaultyElasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexing.bulk_writer._TIMEOUT_SECONDS", 0.2)
    released = threading.Event()
    proxy.fault = lambda body: Reply(503, b"{}") if released.wait(30) else None
    elasticsearch = ElasticsearchExchange.to(ElasticsearchSettings(url=proxy.url), connections=1)
    answer = send(elasticsearch, [b'{"create":{"_index":"query-logs-x","_id":"1"}}\n{}\n'], "audit-sink")
    released.set()

    assert isinstance(answer, Failure)
    assert answer.outcome is Outcome.RETRY
    assert answer.cause == "unreachable"
    assert len(proxy.bodies) == 1
