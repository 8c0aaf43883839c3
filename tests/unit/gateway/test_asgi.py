"""What becomes of an answer whose client does not take it."""

import asyncio
import logging

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from pytest_django import Settings

from gateway.asgi import Application, Message

BODY = bytes(range(256)) * 1024


def _whole(_: HttpRequest) -> HttpResponseBase:
    return HttpResponse(BODY)


def _parts(_: HttpRequest) -> HttpResponseBase:
    return StreamingHttpResponse(BODY[at : at + 1000] for at in range(0, len(BODY), 1000))


urlpatterns = [path("whole", _whole), path("parts", _parts)]


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

    def ask(self, target: str) -> None:
        """Send one request, and wait until the application is done with it."""
        scope = {
            "method": "GET",
            "path": target,
            "raw_path": target.encode(),
            "query_string": b"",
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 9),
            "scheme": "http",
            "headers": [(b"host", b"localhost")],
        }
        asyncio.run(Application()(scope, self.receive, self.send))


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
    monkeypatch.setattr("gateway.asgi._STALLED_SECONDS", 0.1)
    client = Client(takes)
    with caplog.at_level(logging.INFO):
        client.ask(target)
    assert len(client.taken) == takes
    (line,) = [record for record in caplog.records if record.name.startswith(("gateway", "asyncio", "django"))]
    assert "given up" in line.getMessage()
    assert line.exc_info is None
