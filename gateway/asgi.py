"""The ASGI application that the server runs: it reads a request's body, and only then gives the request a thread.

Django and what it calls block, so a request in work holds a thread, and threads are few. Whatever a client can draw out
happens here, in the event loop, where waiting costs next to nothing.
"""

import asyncio
import io
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from gateway.correlation import correlate
from gateway.deadline import RECEIVED
from gateway.lanes import Full, Lane
from gateway.metrics import AUDIT_MODE, BODIES_INSIDE, SHED, SPOOL_LIMIT_BYTES
from gateway.problems import Code, Unavailable, problem_response
from gateway.wsgi import application as wsgi

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_VITAL_QUEUE = 32
_STALLED_SECONDS = 30.0
"""After how long a client that does not take the next part of an answer is given up."""
_PART_BYTES = 64 * 1024
"""An answer is handed to the server in such parts, which waits for the client's taking them, and not all at once."""


class Application:  # pylint: disable=too-few-public-methods  # it is called
    """One worker process's side of HTTP.

    What tells whether the gateway is well has lanes of its own: however busy the rest is, it answers.
    """

    def __init__(self) -> None:
        AUDIT_MODE.labels(settings.GATEWAY.audit_mode).set(1)
        SPOOL_LIMIT_BYTES.set(settings.GATEWAY.spool_bytes)
        self._lanes = {
            "/healthz": Lane("health", 1, _VITAL_QUEUE),
            "/metrics": Lane("metrics", 1, _VITAL_QUEUE),
            "/readyz": Lane("readiness", 1, _VITAL_QUEUE),
        }
        self._requests = Lane("requests", settings.GATEWAY.threads, settings.GATEWAY.queue)
        self._bodies = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        environ = _environ(scope)
        lane = self._lanes.get(scope["path"])
        try:
            if lane is None:
                lane = self._requests
                await self._take_body(environ, receive)
            answer = await lane.run(_respond, environ, _Stream(asyncio.get_running_loop(), receive, send))
        except Full:
            SHED.inc()
            overloaded = Unavailable(Code.OVERLOADED, "The gateway has more requests than it can work on; try again.")
            answer = _outside_django(environ, problem_response(overloaded))
        except _Stalled:
            return
        if answer is not None:
            with suppress(_Stalled):
                await _send_whole(send, *answer)

    async def _take_body(self, environ: dict[str, Any], receive: Receive) -> None:
        """Read the body, and say in the environment how long it is: longer than it came, if it did not come whole.

        Raises:
            Full: as many bodies are being read as may be.
        """
        if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
            return
        if self._bodies >= settings.GATEWAY.bodies:
            raise Full
        self._bodies += 1
        BODIES_INSIDE.inc()
        body = bytearray()
        try:
            async with asyncio.timeout(settings.GATEWAY.body_timeout):
                whole = await _read(receive, body)
        except TimeoutError:
            whole = False
        finally:
            self._bodies -= 1
            BODIES_INSIDE.dec()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body) if whole else len(body) + 1)


class _Stalled(Exception):
    """The client takes nothing; the server hangs up on it when the application returns."""


async def _send(send: Send, message: Message) -> None:
    """Send a part of an answer.

    Raises:
        _Stalled: the client has had no room for it for ``_STALLED_SECONDS``.
    """
    try:
        async with asyncio.timeout(_STALLED_SECONDS):
            await send(message)
    except TimeoutError:
        logger.warning("a client that took nothing for %g s is given up", _STALLED_SECONDS)
        raise _Stalled from None


async def _send_whole(send: Send, start: Message, body: bytes) -> None:
    await _send(send, start)
    rest = memoryview(body)
    while len(rest) > _PART_BYTES:
        await _send(send, {"type": "http.response.body", "body": bytes(rest[:_PART_BYTES]), "more_body": True})
        rest = rest[_PART_BYTES:]
    await _send(send, {"type": "http.response.body", "body": bytes(rest)})


async def _read(receive: Receive, body: bytearray) -> bool:
    """Collect a body until it ends, or is larger than any that is taken; false if the client hangs up before."""
    more = True
    while more and len(body) <= settings.MAX_BODY_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return False
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return True


def _environ(scope: Message) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    environ: dict[str, Any] = {
        RECEIVED: time.monotonic(),
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        # In the environment, X_Forwarded_For would pass for X-Forwarded-For.
        if b"_" not in name:
            key = name.decode("latin-1").upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


Answer = tuple[Message, bytes]


def _respond(environ: dict[str, Any], stream: "_Stream") -> Answer | None:
    """Let Django answer, in this thread; None if the answer was a stream, which has been sent."""
    started: list[Message] = []
    response = wsgi(environ, lambda status, headers: started.append(_start(int(status[:3]), headers)))
    try:
        if environ["REQUEST_METHOD"] == "HEAD":
            # Nobody would read a stream, which would be made all the same.
            return started[0], b""
        if response.streaming:
            stream.send(started[0], response)
            return None
        return started[0], b"".join(response)
    finally:
        response.close()


def _start(status: int, headers: Iterable[tuple[str, str]]) -> Message:
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded}


def _outside_django(environ: dict[str, Any], response: HttpResponse) -> Answer:
    """An answer that Django had no part in, with the request's id all the same."""
    request = HttpRequest()
    request.META = environ
    answer = correlate(lambda _: response)(request)
    return _start(response.status_code, answer.items()), response.content


class _Stream:  # pylint: disable=too-few-public-methods  # it does one thing
    """Sends an answer in parts, from another thread than the event loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send) -> None:
        self._loop = loop
        self._receive = receive
        self._send = send

    def send(self, start: Message, parts: Iterable[bytes]) -> None:
        """Send all parts, each when the client has room for it, unless it hangs up.

        Raises:
            _Stalled: the client takes nothing.
        """
        gone = asyncio.run_coroutine_threadsafe(self._until_gone(), self._loop)
        self._put(start)
        for part in parts:
            if gone.done():
                return
            self._put({"type": "http.response.body", "body": part, "more_body": True})
        self._put({"type": "http.response.body", "body": b""})

    def _put(self, message: Message) -> None:
        # Twice as long, for when the loop has ended and nothing times out any more.
        asyncio.run_coroutine_threadsafe(_send(self._send, message), self._loop).result(2 * _STALLED_SECONDS)

    async def _until_gone(self) -> None:
        # The body has been read, or is not wanted.
        while (await self._receive())["type"] != "http.disconnect":
            pass
