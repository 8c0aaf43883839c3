"""Notifications as they come, over real sockets."""

from base64 import b64encode
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.gateway.live.conftest import AYSE, Stack
from tests.support.live import NOTIFICATIONS, VERSION, Socket


def _open(stack: Stack, user: str = AYSE) -> Socket:
    return stack.live.socket(NOTIFICATIONS, Authorization=f"Octoxlabs {b64encode(user.encode()).decode()}")


def test_a_page_opens_a_socket_by_a_ticket_and_is_told_of_what_is_new(stack: Stack) -> None:
    ticket = stack.ticket("notifications")
    with Socket(stack.live.url + NOTIFICATIONS, [VERSION, ticket], {"Origin": stack.gateway.url}) as socket:
        assert socket.connection.subprotocol == VERSION
        last = socket.expect("hello")["last"]
        socket.send("since", id=last)
        stack.tell(3, begin=1000)
        items: list[dict[str, Any]] = []
        while len(items) < 3:
            items += socket.expect("notifications")["items"]
    assert [item["number"] for item in items] == [last + 1, last + 2, last + 3]
    inbox = stack.ask("GET", f"/notifications?after={last}", Authorization=f"Octoxlabs {b64encode(b'ayse').decode()}")
    assert inbox.json()["notifications"] == items


def test_a_ticket_is_good_once(stack: Stack) -> None:
    ticket = stack.ticket("notifications")
    with Socket(stack.live.url + NOTIFICATIONS, [VERSION, ticket]) as socket:
        socket.expect("hello")
    with pytest.raises(InvalidStatus) as refused:
        Socket(stack.live.url + NOTIFICATIONS, [VERSION, ticket])
    assert refused.value.response.status_code == 401
