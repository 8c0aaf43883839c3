"""The demo waits for what is not there yet, and says in one line what does not come."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local import demo, ports
from local.errors import StackError
from local.services import Services
from tests.support.http_server import QuietHandler, serving


class _Shards(QuietHandler):
    """Answers as an index does whose shard starts between the first search and the second."""

    searches = 0

    def do_POST(self) -> None:  # pylint: disable=invalid-name  # the library's name
        """Refuse the first search, answer the others."""
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).searches += 1
        status, body = (503, {"error": {}}) if self.searches == 1 else (200, {"hits": {"hits": [{"_id": "1"}]}})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def _services(**addresses: Any) -> Services:
    return cast(Services, SimpleNamespace(**addresses))


def test_an_index_whose_shard_is_not_up_yet_is_asked_again() -> None:
    with serving(_Shards) as url:
        services = _services(servers=SimpleNamespace(elasticsearch=SimpleNamespace(url=url)))
        assert demo.find_document(services, "1") == {"_id": "1"}


def test_a_gateway_that_does_not_answer_is_one_line() -> None:
    services = _services(gateway_url=f"http://127.0.0.1:{ports.free(1)[0]}")
    with pytest.raises(StackError, match="the gateway does not answer"):
        demo.search(services)
