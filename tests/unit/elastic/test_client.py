"""The client carries the credentials that the settings hold, and never retries by itself."""

import base64
from typing import ClassVar

import pytest
from elasticsearch import ApiError

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from tests.support.http_server import QuietHandler, serving


class _Unavailable(QuietHandler):
    """Notes each request's credentials and answers 503."""

    seen: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # the library's name
        """Note the credentials."""
        self.seen.append(self.headers["Authorization"])
        self.send_response(503)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Length", "0")
        self.end_headers()


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
    _Unavailable.seen.clear()
    with serving(_Unavailable) as url:
        monkeypatch.setenv("ELASTICSEARCH_URL", url)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with connect(ElasticsearchSettings.load()) as client, pytest.raises(ApiError):
            client.cluster.health()
    assert _Unavailable.seen == [header]
