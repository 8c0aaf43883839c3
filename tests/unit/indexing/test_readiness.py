"""Readiness of Elasticsearch for documents."""

import pytest

from elastic.exchange import ElasticsearchExchange
from indexing.readiness import unready
from tests.support.http_server import QuietHandler, serving


def _answer_of(status: int, body: bytes) -> str | None:
    class Handler(QuietHandler):
        """Answers every request alike."""

        def do_POST(self) -> None:  # pylint: disable=invalid-name  # the library's name
            """Answer."""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        exchange = ElasticsearchExchange(url, connections=1)
        try:
            return unready(exchange, "query-logs-2000.01.01")
        finally:
            exchange.close()


def test_a_strict_template_is_ready_and_so_is_one_that_may_not_be_looked_at() -> None:
    assert _answer_of(200, b'{"template":{"mappings":{"dynamic":"strict"}}}') is None
    assert _answer_of(403, b"{}") is None


@pytest.mark.parametrize("body", [b"{}", b'{"template":null}', b'{"template":{"mappings":{"dynamic":"true"}}}', b"[]"])
def test_any_other_answer_names_the_command_that_makes_the_template(body: bytes) -> None:
    reason = _answer_of(200, body)
    assert reason is not None
    assert "query-logs-2000.01.01 (python -m elastic bootstrap)" in reason


def test_a_failure_is_named_by_its_status() -> None:
    assert _answer_of(503, b"") == "HTTP 503"
