"""An answer of Elasticsearch is read up to a bound."""

from typing import ClassVar

import pytest
from elastic_transport import ConnectionError as NoAnswer

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from kit.http_exchange import AnswerTooLarge
from tests.support.http_server import QuietHandler, serving

LIMIT = 100_000


class _Long(QuietHandler):
    """Answers with so many bytes as the path says, in chunks or announced."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[int]] = set()

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # the library's name
        """Answer with a JSON text."""
        self.connections.add(self.client_address[1])
        _, how, size = self.path.split("/")
        text = b'"' + b"x" * (int(size) - 2) + b'"'
        self.send_response(200)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        if how == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            text = b"".join(
                b"%x\r\n%s\r\n" % (len(part), part)
                for part in (text[at : at + 1_000] for at in range(0, len(text), 1_000))
            )
            text += b"0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
        try:
            self.wfile.write(text)
        except OSError:
            self.close_connection = True  # The client has given up, as it should.


@pytest.mark.parametrize("how", ["chunked", "announced"])
def test_an_answer_over_the_bound_is_not_read_and_any_other_is(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elastic.exchange.MAX_ANSWER_BYTES", LIMIT)
    _Long.connections.clear()
    with serving(_Long) as url, connect(ElasticsearchSettings(url=url), connections=1) as client:
        for _ in range(2):
            assert client.perform_request("GET", f"/{how}/{LIMIT}").body == "x" * (LIMIT - 2)
        assert len(_Long.connections) == 1
        with pytest.raises(NoAnswer) as refused:
            client.perform_request("GET", f"/{how}/{10 * LIMIT}")
        assert isinstance(refused.value.__cause__, AnswerTooLarge)
        assert client.perform_request("GET", f"/{how}/{LIMIT}").body
        assert len(_Long.connections) == 2
