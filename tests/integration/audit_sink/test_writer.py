"""A bulk request of which nothing is heard again."""

import threading

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from indexing.bulk_writer import send
from indexing.outcomes import Failure, Outcome
from tests.support.faulty_proxy import Reply
from tests.support.sink import FaultyElasticsearch


def test_a_bulk_request_that_times_out_is_tried_again(proxy: FaultyElasticsearch) -> None:
    released = threading.Event()
    proxy.fault = lambda body: Reply(503, b"{}") if released.wait(30) else None
    with connect(ElasticsearchSettings(url=proxy.url), request_timeout=0.2) as client:
        answer = send(client, [b'{"create":{"_index":"query-logs-x","_id":"1"}}\n{}\n'], "audit-sink")
    released.set()

    assert isinstance(answer, Failure)
    assert answer.outcome is Outcome.RETRY
    assert answer.cause == "unreachable"
    assert len(proxy.bodies) == 1
