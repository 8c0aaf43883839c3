"""Live sockets behind nginx as it is deployed: a tunnel, with zones of its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import orjson
import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.gateway.live.conftest import Stack
from tests.support import edge as nginx
from tests.support.edge import Edge
from tests.support.gateway import AUTHORIZATION
from tests.support.live import NOTIFICATIONS, VERSION, Socket

# Without the WebSocket client, which reads in a thread while it writes: Python 3.11 does not guard a TLS connection
# that is used so, and the client has been seen to miss a refusal.
_HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def edge(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """nginx in front of the gateway and of live sockets, with room for three of these."""
    gateway, live = stack.gateway.url.removeprefix("http://"), stack.live.url.removeprefix("ws://")
    home = tmp_path_factory.mktemp("edge")
    with nginx.serving(home, [gateway, gateway], live=live, **{"limit_conn sockets": "3"}) as serving:
        yield serving


def _open(edge: Edge, stack: Stack) -> Socket:
    url = edge.url.replace("https:", "wss:") + NOTIFICATIONS
    return Socket(url, [VERSION, stack.ticket("notifications")], ssl=edge.tls)


def test_a_socket_is_tunnelled_and_its_ticket_is_in_no_log(edge: Edge, stack: Stack) -> None:
    with _open(edge, stack) as socket:
        last = socket.expect("hello")["last"]
        socket.send("since", id=last)
        stack.tell(1, begin=900_000)
        assert socket.expect("notifications")["items"][0]["number"] == last + 1
    assert "sluice.ticket" not in edge.everything_logged()


def test_a_refusal_of_the_process_comes_as_it_is(edge: Edge) -> None:
    url = edge.url.replace("https:", "wss:") + NOTIFICATIONS
    with pytest.raises(InvalidStatus) as caught:
        Socket(url, [VERSION, "sluice.ticket.unknown"], ssl=edge.tls)
    problem = orjson.loads(caught.value.response.body or b"")
    assert (problem["status"], problem["code"]) == (401, "unauthenticated")
    assert "query_id" in problem


def test_open_sockets_take_no_place_of_requests_and_one_too_many_is_429(edge: Edge, stack: Stack) -> None:
    with ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(_open(edge, stack)).expect("hello")
        refused = edge.request("GET", NOTIFICATIONS, headers=_HANDSHAKE)
        problem = orjson.loads(refused.data)
        assert (refused.status, problem["status"], problem["code"]) == (429, 429, "throttled")
        assert "sockets" in problem["detail"]
        assert refused.headers["Retry-After"] == "1"
        answer = edge.request("POST", "/search", body=b'{"query": ""}', headers=AUTHORIZATION)
        assert answer.status in (200, 401), answer.data
