"""The end of an answer whose client does not take it."""

import asyncio
import itertools
import logging
import threading
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from pytest_django import Settings

from gateway.serving.application import Application
from gateway.serving.request_bodies import Message

BODY = bytes(range(256)) * 1024


def _whole(_: HttpRequest) -> HttpResponseBase:
    return HttpResponse(BODY)


def _parts(_: HttpRequest) -> HttpResponseBase:
    return StreamingHttpResponse(BODY[at : at + 1000] for at in range(0, len(BODY), 1000))


class _Endless:
    closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        return itertools.repeat(b"more")

    def close(self) -> None:
        """Note that it is read no more."""
        self.closed.set()


urlpatterns = [
    path("whole", _whole),
    path("parts", _parts),
    path("long-part", lambda _: StreamingHttpResponse([BODY])),
    path("endless", lambda _: StreamingHttpResponse(_Endless())),
]


@pytest.fixture(autouse=True)
def _answers(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


class Client:
    """Asks once, and takes only so many messages of the answer."""

    def __init__(self, takes: int) -> None:
        self.taken: list[Message] = []
        self._takes = takes

    async def receive(self) -> Message:
        """Stay connected."""
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        """Take a message, or let it wait."""
        if len(self.taken) == self._takes:
            await asyncio.Event().wait()
        self.taken.append(message)

    def ask(self, target: str, method: str = "GET", **headers: str) -> None:
        """Send one request, and wait until the application is done with it."""
        asyncio.run(asyncio.wait_for(self.asking(target, method, **headers), 10))

    async def asking(self, target: str, method: str = "GET", **headers: str) -> None:
        """Send one request, to an application of its own."""
        await self.asking_of(Application(), target, method, **headers)

    async def asking_of(self, application: Application, target: str, method: str = "GET", **headers: str) -> None:
        """Send one request."""
        scope = {
            "method": method,
            "path": target,
            "raw_path": target.encode(),
            "query_string": b"",
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("192.0.2.1", 9),
            "scheme": "http",
            "headers": [(b"host", b"localhost"), *((name.encode(), text.encode()) for name, text in headers.items())],
        }
        await application(scope, self.receive, self.send)


@pytest.mark.parametrize("target", ["/whole", "/parts"])
def test_a_long_answer_arrives_as_it_is(target: str) -> None:
    client = Client(1_000_000)
    client.ask(target)
    start, *parts = client.taken
    assert start["status"] == 200
    assert b"".join(part["body"] for part in parts) == BODY
    assert [part.get("more_body", False) for part in parts] == [True] * (len(parts) - 1) + [False]
    assert max(len(part["body"]) for part in parts) < len(BODY)


@pytest.mark.parametrize("takes", [0, 2])
@pytest.mark.parametrize("target", ["/whole", "/parts"])
def test_a_client_that_takes_nothing_more_is_given_up_with_one_line(
    target: str, takes: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.serving.application._STALLED_SECONDS", 0.1)
    client = Client(takes)
    with caplog.at_level(logging.INFO):
        client.ask(target)
    assert len(client.taken) == takes
    # Threads of other tests may log, too.
    logged = [record for record in caplog.records if record.name.startswith(("gateway.serving", "asyncio", "django"))]
    (line,) = logged
    assert "given up" in line.getMessage()
    assert line.exc_info is None


def test_of_clients_that_take_more_than_there_is_room_for_the_first_is_given_up_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.http.memory.BUDGET_BYTES", 2 * len(BODY))

    async def ask() -> None:
        application = Application()
        asking = []
        for _ in range(3):
            client = Client(2)
            asking.append(asyncio.create_task(client.asking_of(application, "/whole")))
            while len(client.taken) < 2:
                await asyncio.sleep(0)
        await asyncio.wait_for(asking[0], 10)
        assert [each.done() for each in asking] == [True, False, False]
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    asyncio.run(ask())


def test_of_an_address_that_has_asked_too_often_no_body_is_waited_for(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"address_rate": "1/day", "body_timeout": 60.0})
    for _ in range(2):
        Client(1_000_000).ask("/whole")
    client = Client(1_000_000)
    client.ask("/whole", "POST", **{"content-length": "100"})
    assert client.taken[0]["status"] == 429
    assert b'"code":"throttled"' in client.taken[1]["body"]


def test_the_budget_of_an_address_is_that_of_its_client_where_a_trusted_proxy_says_whose_it_is(
    settings: Settings,
) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(
        update={"address_rate": "1/day", "body_timeout": 0.01, "trusted_proxies": (ip_network("192.0.2.0/24"),)}
    )
    for _ in range(2):
        Client(1_000_000).ask("/whole", **{"x-forwarded-for": "198.51.100.1"})
    statuses = []
    for address in ("198.51.100.1", "198.51.100.2"):
        client = Client(1_000_000)
        client.ask("/whole", "POST", **{"content-length": "100", "x-forwarded-for": address})
        statuses.append(client.taken[0]["status"])
    assert [status == 429 for status in statuses] == [True, False]


def test_a_stream_ends_with_the_event_loop_though_its_client_takes_nothing() -> None:
    client = Client(2)

    async def begin() -> None:
        while len(client.taken) < 2:
            await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    asking = loop.create_task(client.asking("/endless"))
    loop.run_until_complete(begin())
    assert _Endless.closed.wait(10)
    # More than once: what the stream asked of the loop while that stood still becomes a task only now.
    while left := asyncio.all_tasks(loop):
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()
    assert asking.done()


def test_a_stream_is_sent_in_parts_that_a_slow_client_has_time_for() -> None:
    client = Client(1_000_000)
    client.ask("/long-part")
    bodies = [message["body"] for message in client.taken[1:]]
    assert b"".join(bodies) == BODY
    assert max(len(body) for body in bodies) <= 64 * 1024
