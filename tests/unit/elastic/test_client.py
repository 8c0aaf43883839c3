"""The client carries the credentials that the settings hold, and never retries by itself."""

import base64
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from elasticsearch import ApiError

from elastic.client import connect
from elastic.settings import ElasticsearchSettings


@contextmanager
def unavailable_server(seen: list[str | None]) -> Iterator[str]:
    """A server that notes each request's credentials and answers 503."""

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers 503 with an empty body."""

        def do_GET(self) -> None:  # pylint: disable=invalid-name  # the library's name
            """Note the credentials."""
            seen.append(self.headers["Authorization"])
            self.send_response(503)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
            """Stay quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("variables", "header"),
    [
        ({}, None),
        ({"ELASTICSEARCH_API_KEY": "k3y"}, "ApiKey k3y"),
        (
            {"ELASTICSEARCH_USERNAME": "sink", "ELASTICSEARCH_PASSWORD": "s3cret"},
            "Basic " + base64.b64encode(b"sink:s3cret").decode(),
        ),
    ],
)
def test_a_failing_request_is_sent_once_with_the_credentials(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], header: str | None
) -> None:
    seen: list[str | None] = []
    with unavailable_server(seen) as url:
        monkeypatch.setenv("ELASTICSEARCH_URL", url)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with connect(ElasticsearchSettings.load()) as client, pytest.raises(ApiError):
            client.cluster.health()
    assert seen == [header]
