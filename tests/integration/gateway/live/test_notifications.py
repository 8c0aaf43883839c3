"""Notifications as they come, over real sockets, on either database."""

import threading
from itertools import count
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.gateway.live.conftest import AUDITOR, AYSE, Stack
from tests.support.live import NOTIFICATIONS, TAIL, VERSION, Socket

_numbers = count(1)


def _tell(stack: Stack, amount: int, **options: Any) -> None:
    stack.tell(amount, begin=1_000_000 * next(_numbers), **options)


def _read(socket: Socket, amount: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while len(items) < amount:
        items += socket.expect("notifications")["items"]
    return items


def _reason(ended: tuple[int | None, dict[str, Any] | None]) -> tuple[int | None, str, int | None]:
    """The close code, and code and pause of the farewell."""
    code, farewell = ended
    assert farewell is not None
    return code, farewell["code"], farewell["retry_after"]


def test_a_page_opens_a_socket_by_a_ticket_and_is_told_what_the_inbox_has(either: Stack) -> None:
    ticket = either.ticket("notifications")
    with Socket(either.live.url + NOTIFICATIONS, [VERSION, ticket], {"Origin": either.gateway.url}) as socket:
        assert socket.connection.subprotocol == VERSION
        hello = socket.expect("hello")
        assert hello["user"] == AYSE
        socket.send("since", id=hello["last"])
        _tell(either, 3)
        items = _read(socket, 3)
    assert [item["number"] - hello["last"] for item in items] == [1, 2, 3]
    headers = {"Authorization": f"Bearer {either.token()}"}
    inbox = either.ask("GET", f"/notifications?after={hello['last']}", **headers)
    assert inbox.json()["notifications"] == items


def test_a_ticket_is_good_once_and_for_one_kind(either: Stack) -> None:
    ticket = either.ticket("notifications")
    for path, kind in ((TAIL, "notifications"), (NOTIFICATIONS, "notifications")):
        if path == TAIL:
            with pytest.raises(InvalidStatus, match="401"):
                Socket(either.live.url + path, [VERSION, either.ticket(kind)])
    with Socket(either.live.url + NOTIFICATIONS, [VERSION, ticket]) as socket:
        socket.expect("hello")
    with pytest.raises(InvalidStatus, match="401"):
        Socket(either.live.url + NOTIFICATIONS, [VERSION, ticket])


def test_a_log_in_that_is_ended_ends_its_socket(either: Stack) -> None:
    token = either.token()
    with Socket(either.live.url + NOTIFICATIONS, [VERSION, either.ticket("notifications", token=token)]) as socket:
        socket.expect("hello")
        answer = either.ask("POST", "/auth/revoke", {"token": token})
        assert answer.status == 200
        either.code(
            "from datetime import UTC, datetime\n"
            "from gateway.identity.models import User\n"
            f"User.objects.get(username={AYSE!r}).end_log_ins(datetime.now(UTC))\n"
        )
        ended = socket.end(within=20)
    assert _reason(ended) == (1008, "unauthenticated", None)


def test_a_role_that_is_taken_away_ends_the_tail(either: Stack) -> None:
    change = "from gateway.identity.models import User\nUser.objects.filter(username={!r}).update(role={!r})"
    with either.socket(TAIL, AUDITOR) as socket:
        socket.expect("hello")
        either.code(change.format(AUDITOR, "searcher"))
        try:
            ended = socket.end(within=20)
        finally:
            either.code(change.format(AUDITOR, "auditor"))
    assert _reason(ended) == (1008, "forbidden", None)


def test_what_is_too_much_to_be_under_way_becomes_one_resync(stack: Stack) -> None:
    with stack.socket(NOTIFICATIONS) as socket:
        last = socket.expect("hello")["last"]
        socket.send("since", id=last)
        _tell(stack, 100, length=8_000)
        received = 0
        while (frame := socket.read())["type"] == "notifications":
            received += len(frame["items"])
        assert frame["type"] == "resync"
        assert 0 < received < 100
        assert last + received < frame["last"] <= last + 100
        # Nothing more until the client has read the inbox, and says where it stands.
        _tell(stack, 1)
        socket.send("since", id=last + 100)
        assert [item["number"] for item in _read(socket, 1)] == [last + 101]


def test_sockets_say_farewell_when_the_process_ends_and_a_client_goes_on_where_it_stood(stack: Stack) -> None:
    with stack.socket(NOTIFICATIONS) as socket:
        last = socket.expect("hello")["last"]
        socket.send("since", id=last)
        stopping = threading.Thread(target=stack.live.stop)
        stopping.start()
        ended = socket.end()
        stopping.join()
    assert _reason(ended) == (1012, "restart", 1)
    _tell(stack, 2)
    stack.live.start()
    with stack.socket(NOTIFICATIONS) as socket:
        assert socket.expect("hello")["last"] == last + 2
        socket.send("since", id=last)
        assert [item["number"] for item in _read(socket, 2)] == [last + 1, last + 2]
