"""The ASGI application that the server runs: it reads a request's body, and only then gives the request a thread.

Django and what it calls block, so a request in work holds a thread, and threads are few. Whatever a client can draw out
happens here, in the event loop, where waiting costs next to nothing.
"""

import asyncio
import gc
import io
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from gateway.audit.address_throttle import REFUSED, refusal
from gateway.audit.metrics import AUDIT_MODE, SPOOL_LIMIT_BYTES
from gateway.http.client_address import client_of, neighbourhood
from gateway.http.client_timeouts import ClientTimeouts
from gateway.http.correlation import correlate
from gateway.http.deadline import RECEIVED
from gateway.http.endpoints import FORMS, SMALL_BODY_BYTES, body_limit, needs_credentials, streams_body
from gateway.http.environ import header_variables
from gateway.http.json_media import too_large
from gateway.http.memory import Memory, Part, Share, memory_is_full, used_by
from gateway.http.problems import Code, Problem, Unavailable, problem_response
from gateway.identity.authentication import lets_in
from gateway.serving.bulkheads import Bulkhead, Full
from gateway.serving.metrics import SHED
from gateway.serving.request_bodies import Message, Receive, RequestBodies, StreamedBody
from gateway.serving.unsent_bytes import bound_unsent_bytes
from gateway.serving.wsgi import application as wsgi
from kit import tracing

logger = logging.getLogger(__name__)

Send = Callable[[Message], Awaitable[None]]

_VITAL_QUEUE = 32
_STALLED_SECONDS = 30.0
"""After how long a client that does not take the next part of an answer is given up."""
_STOPPING_SECONDS = 3.0
"""The same once the process ends, and for the whole of an answer, as for the rest of a body."""
_FLUSH_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_PART_BYTES = 64 * 1024
"""Every answer is handed to the server in such parts, which waits for the client's taking them: a slow client has
``_STALLED_SECONDS`` for each of them, and not for all at once."""


class Application:  # pylint: disable=too-many-instance-attributes  # it puts them together
    """One worker process's side of HTTP.

    Health and metrics have bulkheads of their own: they answer however busy the rest is.
    """

    def __init__(self) -> None:
        AUDIT_MODE.labels(settings.GATEWAY.audit_mode).set(1)
        SPOOL_LIMIT_BYTES.set(settings.GATEWAY.spool_bytes)
        self._bulkheads = {
            "/healthz": Bulkhead("health", 1, _VITAL_QUEUE),
            "/metrics": Bulkhead("metrics", 1, _VITAL_QUEUE),
            "/readyz": Bulkhead("readiness", 1, _VITAL_QUEUE),
        }
        threads, queue = settings.GATEWAY.threads, settings.GATEWAY.queue
        # One address may have half of the room, so that others find some too.
        self._requests = Bulkhead("requests", threads, queue, share=max(1, (threads + queue) // 2))
        self._timeouts = ClientTimeouts()
        self._bodies = RequestBodies(self._timeouts)
        self._memory = Memory(self._timeouts)
        self._inside = 0
        self._is_bounded = False
        self._end: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Answer the requests in hand, wait for no client longer than a moment, and end the event loop.

        To be called in it, once the server takes no more connections. Usually it is the server that ends the loop, with
        its last connection; but it waits for those without end that began a request, or do not take an answer.
        """
        self._timeouts.end(_STOPPING_SECONDS)
        self._end = asyncio.get_running_loop().create_task(self._end_when_idle())

    async def _end_when_idle(self) -> None:
        while self._inside:
            await asyncio.sleep(_LOOK_SECONDS)
        # Answers are still on their way through the server.
        await asyncio.sleep(_FLUSH_SECONDS)
        asyncio.get_running_loop().call_soon(sys.exit)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not self._is_bounded:
            # Not before: the server has no socket yet when it makes this object.
            self._is_bounded = True
            bound_unsent_bytes(int(scope["server"][1]))
        self._inside += 1
        try:
            with self._memory.share() as share:
                await self._answer(scope, receive, _Client(self._timeouts, self._memory, share, receive, send), share)
        except _Stalled:
            logger.warning("a client that does not take its answer is given up")
        except Exception:
            # The server says so too, but not where: what quotes an exception is not logged.
            logger.exception("a request failed outside of Django")
            raise
        finally:
            self._inside -= 1

    async def _answer(self, scope: Message, receive: Receive, client: "_Client", share: Share) -> None:
        environ = _environ(scope)
        bulkhead = self._bulkheads.get(scope["path"], self._requests)
        place = neighbourhood(client_of(environ))
        try:
            if bulkhead is self._requests:
                await self._take_body(environ, place, receive, share)
            stream = _Stream(asyncio.get_running_loop(), client)
            answer = await bulkhead.run(place, _respond, environ, stream, share)
        except Full:
            SHED.inc()
            overloaded = Unavailable(Code.OVERLOADED, "The gateway has more requests than it can work on; try again.")
            answer = _outside_django(environ, problem_response(overloaded))
        if answer is not None:
            await client.take_whole(*answer)

    async def _take_body(self, environ: dict[str, Any], place: str, receive: Receive, share: Share) -> None:
        """Read the body, and say in the environment how long it is: longer than it came, if it did not come whole.

        One that is too long, or not short and from somebody unknown where only who is known is answered, is not read:
        what answers says why.

        Raises:
            Full: there is no room for it.
        """
        if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
            return
        limit = body_limit(_path(environ))
        try:
            environ[REFUSED] = refusal(place)
            if environ[REFUSED] is None and streams_body(_path(environ)):
                # Its view reads it, once it knows the caller.
                loop = asyncio.get_running_loop()
                environ["wsgi.input"] = StreamedBody(loop, self._timeouts, receive)
                environ.pop("CONTENT_LENGTH", None)
                return
            if environ[REFUSED] is None and await self._is_wanted(environ, place, limit, share):
                body, whole = await self._bodies.read(place, receive, limit)
                environ["wsgi.input"] = io.BytesIO(body)
                environ["CONTENT_LENGTH"] = str(len(body) if whole else len(body) + 1)
        except Problem as problem:
            environ[REFUSED] = problem

    async def _is_wanted(self, environ: dict[str, Any], place: str, limit: int, share: Share) -> bool:
        """Whether to read the body; there is memory for it then.

        Raises:
            Problem: it is too long for a form, or there is no memory for it.
            Full: there is no thread to look at the credentials.
        """
        # The server has seen that it is a number; a body in chunks has none.
        length = int(environ.get("CONTENT_LENGTH", limit))
        if length <= SMALL_BODY_BYTES:
            return True
        path = _path(environ)
        if length > limit:
            if path.startswith(FORMS):
                raise too_large(limit)
            return False
        credentials = environ.get("HTTP_AUTHORIZATION")
        if needs_credentials(path) and not await self._requests.run(place, lets_in, credentials):
            return False
        if not share.try_claim(Part.RECEIVED, length):
            raise memory_is_full()
        return True


class _Stalled(Exception):
    """The client takes nothing; the server hangs up on it when the application returns."""


class _Client:
    """Takes an answer, in the event loop."""

    def __init__(self, timeouts: ClientTimeouts, memory: Memory, share: Share, receive: Receive, send: Send) -> None:
        self._timeouts = timeouts
        self._memory = memory
        self._share = share
        self._receive = receive
        self._send = send

    async def take(self, message: Message) -> None:
        """Send a part of an answer.

        Raises:
            _Stalled: the client has had no room for it for ``_STALLED_SECONDS``.
        """
        try:
            async with self._timeouts.wait(_STALLED_SECONDS):
                await self._send(message)
        except TimeoutError:
            raise _Stalled from None

    async def take_whole(self, start: Message, body: bytes) -> None:
        """Send an answer.

        Raises:
            _Stalled: as ``take`` does, or the client is given up for others, or the process ends before it has it all.
        """
        if len(body) <= _PART_BYTES:
            self._share.clear()
            # The server takes an answer of one part at once.
            await self._send(start)
            await self._send({"type": "http.response.body", "body": body})
            return
        rest = memoryview(body)
        try:
            async with self._memory.taking(self._share, len(body)):
                await self.take(start)
                while len(rest) > _PART_BYTES:
                    await self.take(
                        {"type": "http.response.body", "body": bytes(rest[:_PART_BYTES]), "more_body": True}
                    )
                    rest = rest[_PART_BYTES:]
                await self.take({"type": "http.response.body", "body": bytes(rest)})
        except TimeoutError:
            raise _Stalled from None

    async def hang_up(self) -> None:
        """Wait until the client hangs up, or the process ends and does so itself."""
        with suppress(TimeoutError):
            async with self._timeouts.wait(None):
                # The body has been read, or is not wanted.
                while (await self._receive())["type"] != "http.disconnect":
                    pass


def _environ(scope: Message) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    return {
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
        **header_variables(scope["headers"]),
    }


Answer = tuple[Message, bytes]


def _path(environ: Mapping[str, Any]) -> str:
    """The path as Django reads it."""
    path: str = environ["PATH_INFO"]
    return path.encode("latin-1").decode("utf-8", "replace")


def _respond(environ: dict[str, Any], stream: "_Stream", share: Share) -> Answer | None:
    """Let Django answer, in this thread; None if the answer was a stream, which has been sent."""
    try:
        with used_by(share):
            return _respond_by_django(environ, stream)
    finally:
        if share.has(Part.RECEIVED):
            # An exception and its traces hold each other, and what was read of the body. The collector's own rounds
            # count objects and not their lengths. Objects of the start are frozen, so this takes milliseconds.
            gc.collect()


def _respond_by_django(environ: dict[str, Any], stream: "_Stream") -> Answer | None:
    if "HTTP_TRACEPARENT" in environ:
        tracing.join(environ["HTTP_TRACEPARENT"])
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

    def __init__(self, loop: asyncio.AbstractEventLoop, client: _Client) -> None:
        self._loop = loop
        self._client = client

    def send(self, start: Message, parts: Iterable[bytes]) -> None:
        """Send all parts, each when the client has room for it, unless it hangs up or the process ends.

        A client tells an answer that was cut off by its missing end (RFC 9112, section 8).

        Raises:
            _Stalled: the client takes nothing.
        """
        gone = asyncio.run_coroutine_threadsafe(self._client.hang_up(), self._loop)
        self._put(start)
        for part in parts:
            for begin in range(0, len(part), _PART_BYTES):
                if gone.done():
                    return
                some = part[begin : begin + _PART_BYTES]
                self._put({"type": "http.response.body", "body": some, "more_body": True})
        self._put({"type": "http.response.body", "body": b""})

    def _put(self, message: Message) -> None:
        taken = asyncio.run_coroutine_threadsafe(self._client.take(message), self._loop)
        while True:
            try:
                return taken.result(_FLUSH_SECONDS)
            except TimeoutError:
                # The server ends it with its last connection, which may be the one that this client has hung up on.
                if not self._loop.is_running():
                    raise _Stalled from None
