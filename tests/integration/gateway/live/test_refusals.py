"""Refusals before the upgrade, each as a problem, and on the audit trail."""

from contextlib import ExitStack
from typing import Any

import orjson
import pytest
import urllib3
from websockets.exceptions import InvalidStatus

from tests.integration.gateway.live.conftest import AUDITOR, Stack
from tests.support import topic
from tests.support.live import NOTIFICATIONS, TAIL, VERSION, Socket
from tests.support.waiting import eventually


def _refused(stack: Stack, path: str, subprotocols: list[str], **headers: str) -> tuple[dict[str, Any], Any]:
    """The problem that a socket is refused with, and its headers."""
    with pytest.raises(InvalidStatus) as caught:
        Socket(stack.live.url + path, subprotocols, headers)
    response = caught.value.response
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = orjson.loads(response.body or b"")
    assert problem["status"] == response.status_code
    return problem, response.headers


def _events(stack: Stack, query_id: str) -> list[dict[str, Any]]:
    bootstrap = stack.gateway.environment["KAFKA_BOOTSTRAP_SERVERS"]
    events = (orjson.loads(record.value() or b"") for record in topic.records(bootstrap, stack.audit, range(6)))
    return [event for event in events if event["event_id"] == query_id]


def test_a_wrong_ticket_is_401_with_challenges_and_on_the_trail(stack: Stack) -> None:
    problem, headers = _refused(stack, NOTIFICATIONS, [VERSION, "sluice.ticket.unknown"])
    assert (problem["status"], problem["code"]) == (401, "unauthenticated")
    assert "Bearer" in headers["WWW-Authenticate"]
    [event] = eventually(lambda: _events(stack, problem["query_id"]), "the refusal is on the trail")
    assert (event["event_type"], event["user_id"]) == ("auth.failed", None)
    assert event["metadata"]["request_id"] == headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "subprotocols", "headers", "status", "code"),
    [
        (NOTIFICATIONS, [VERSION], {}, 401, "unauthenticated"),
        (NOTIFICATIONS, [VERSION, "sluice.ticket.a", "sluice.ticket.b"], {}, 401, "unauthenticated"),
        (NOTIFICATIONS, [VERSION], {"Authorization": "Bearer nonsense"}, 401, "unauthenticated"),
        (NOTIFICATIONS, [VERSION], {"Origin": "https://evil.example"}, 403, "forbidden"),
        (NOTIFICATIONS, [VERSION], {"Origin": "null"}, 403, "forbidden"),
        (NOTIFICATIONS, ["graphql-ws"], {}, 400, "malformed"),
        ("/ws/notifications", [VERSION], {}, 404, "not_found"),
        ("/ws/%2e%2e/tail", [VERSION], {}, 404, "not_found"),
    ],
)
def test_a_socket_is_refused_before_the_upgrade(  # pylint: disable=too-many-arguments,too-many-positional-arguments
    stack: Stack, path: str, subprotocols: list[str], headers: dict[str, str], status: int, code: str
) -> None:
    problem, _ = _refused(stack, path, subprotocols, **headers)
    assert (problem["status"], problem["code"]) == (status, code)


def test_a_good_ticket_is_refused_from_another_origin(stack: Stack) -> None:
    ticket = stack.ticket("notifications")
    problem, _ = _refused(stack, NOTIFICATIONS, [VERSION, ticket], Origin="https://evil.example")
    assert problem["code"] == "forbidden"
    with Socket(stack.live.url + NOTIFICATIONS, [VERSION, ticket], {"Origin": stack.gateway.url}) as socket:
        socket.expect("hello")


def test_the_tail_is_for_auditors_and_the_refusal_names_the_user(stack: Stack) -> None:
    problem, _ = _refused(stack, TAIL, [VERSION], Authorization=f"Bearer {stack.token()}")
    assert (problem["status"], problem["code"]) == (403, "forbidden")
    [event] = eventually(lambda: _events(stack, problem["query_id"]), "the refusal is on the trail")
    assert (event["event_type"], event["user_id"], event["data"]["index"]) == ("query.denied", "ayse", "query-logs-*")


def test_a_user_has_eight_sockets_and_another_one_once_one_is_closed(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.token(AUDITOR)}"}
    with ExitStack() as opened:
        sockets = [opened.enter_context(stack.live.socket(NOTIFICATIONS, **headers)) for _ in range(8)]
        problem, told = _refused(stack, TAIL, [VERSION], **headers)
        assert (problem["status"], problem["code"], told["Retry-After"]) == (429, "throttled", "5")
        # Others find room.
        opened.enter_context(stack.socket(NOTIFICATIONS)).expect("hello")
        sockets[0].connection.close()

        def is_let_in() -> bool:
            try:
                opened.enter_context(stack.live.socket(TAIL, **headers)).expect("hello")
            except InvalidStatus:
                return False
            return True

        eventually(is_let_in, "there is room again")


@pytest.mark.parametrize(("path", "status"), [(NOTIFICATIONS, 400), (TAIL, 400), ("/", 404), ("/ws/../metrics", 404)])
def test_plain_http_is_answered_with_a_problem(stack: Stack, path: str, status: int) -> None:
    url = stack.live.url.replace("ws:", "http:") + path
    answer = urllib3.request("GET", url, retries=False, timeout=10)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
