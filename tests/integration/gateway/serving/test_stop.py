"""A gateway that is told to end while clients stall and requests are in work."""

import threading
from pathlib import Path

import pytest
import urllib3

from tests.support.faulty_proxy import in_front_of
from tests.support.gateway import PATIENCE_SECONDS, Backing, Connection, configured_gateway
from tests.support.waiting import eventually

SCRIPT = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


def test_requests_in_hand_are_answered_stalled_clients_are_dropped_and_the_trail_is_drained(
    tmp_path: Path, backing: Backing, closed_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = {"GATEWAY_AUDIT_MODE": "async", "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{closed_port}"}
    with in_front_of(backing.elasticsearch_url) as proxy:
        gateway = configured_gateway(tmp_path, backing, ELASTICSEARCH_URL=proxy.url, **nowhere)
        with (
            gateway.started() as process,
            Connection(gateway) as head,
            Connection(gateway) as body,
            Connection(gateway) as reader,
            Connection(gateway) as stranger,
        ):
            head.send("POST /search HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            body.begin(100, "{")
            reader.send(f"GET {SCRIPT} HTTP/1.1\r\nHost: localhost\r\n\r\n" * 8)
            assert reader.socket.recv(1).startswith(b"H")
            proxy.held.clear()
            answers: list[urllib3.BaseHTTPResponse] = []
            search = threading.Thread(target=lambda: answers.append(gateway.post(b'{"query": ""}')))
            search.start()
            eventually(lambda: proxy.requests == 1, "the request is under way")

            process.terminate()
            # The longer a stop takes, the more often the process hears of it.
            assert body.answer().startswith("HTTP/1.1 503 ")
            assert process.poll() is None
            proxy.held.set()
            search.join()
            assert [answer.status for answer in answers] == [200]
            assert process.wait(PATIENCE_SECONDS) == 0
            assert stranger.answer() == ""
    assert "1 events are lost" in capfd.readouterr().err
