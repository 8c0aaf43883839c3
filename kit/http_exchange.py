"""HTTP exchanges with one server over kept connections, each within a size, a time and a span of a trace; by libcurl.

Why: each call that lets go of the interpreter's lock has to wait for it again, and libcurl lets go of it once for an
exchange; ``docs/benchmarks.md`` has what that saves.
"""

import math
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import certifi
import pycurl
from opentelemetry.trace import SpanKind

from kit import tracing

LONG_BYTES = 256 * 1024
"""An answer over that is a long one."""

_DROPPED = frozenset((pycurl.E_GOT_NOTHING, pycurl.E_PARTIAL_FILE, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR))
_NOT_TRUSTED = frozenset(
    (
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CONNECT_ERROR,
    )
)


class NoAnswer(Exception):
    """Missing or unreadable answer: the server cannot be reached, or what comes is no HTTP."""


class NotTrusted(NoAnswer):
    """Failed TLS: the server's certificate, say, is of an authority that is not trusted."""


class Dropped(NoAnswer):
    """The server has closed the connection before the whole answer has come."""


class TimedOut(NoAnswer):
    """The answer has not come whole in time; ``was_sent`` tells whether the request has, so the server is there."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.was_sent = was_sent


class AddressRefused(NoAnswer):
    """The server's name leads to addresses that no connection may be made to."""


class AnswerTooLarge(NoAnswer):
    """The answer is longer than the limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a request; the names in ``headers``, which are empty where they were not asked for, in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytearray


class HttpExchange:  # pylint: disable=too-many-instance-attributes  # its arguments, and the connections
    """Exchanges with one server, for any number of threads.

    Args:
        url: of the server, with what comes before the path of every request.
        connections: how many are kept at most.
        limit: how many bytes an answer may have.
        headers: of every request.
        ca_certs: file of the authorities whose certificates are trusted; by default Mozilla's.
        with_headers: whether those of answers are read.
        may_connect: whether a connection to an address may be made. It is asked of the very address that is connected
            to, so that a name which leads elsewhere the next time gains nothing.
    """

    def __init__(  # pylint: disable=too-many-arguments  # each is asked for somewhere
        self,
        url: str,
        *,
        connections: int,
        limit: int,
        headers: Mapping[str, str] | None = None,
        ca_certs: Path | None = None,
        with_headers: bool = False,
        may_connect: Callable[[str], bool] | None = None,
    ) -> None:
        self._may_connect = may_connect
        self._url = url.rstrip("/")
        self._headers = headers or {}
        self._ca_certs = str(ca_certs or certifi.where())
        self._with_headers = with_headers
        self._limit = limit
        self._most = connections
        # The last one used comes first, so that no more stay open than are needed at once.
        self._idle: deque[_Connection] = deque()
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._server: dict[str, str | int] = {"server.address": parts.hostname or "", "server.port": port}

    def ask(  # pylint: disable=too-many-arguments  # a request has as many
        self,
        method: str,
        target: str,
        *,
        timeout: float | None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        on_long: Callable[[int], None] | None = None,
        again: bool = False,
    ) -> Answer:
        """Send one request, and read the answer.

        Args:
            method: of HTTP.
            target: path and query string.
            timeout: seconds within which the answer has to come whole; None for no limit.
            body: of the request.
            headers: of the request, besides those of every request and in their stead.
            on_long: called with the length of a long answer before more than ``LONG_BYTES`` of it are read; where that
                is not known, with the limit, and with the length once it is. What it raises ends the reading.
            again: send it once more where the server hangs up, for it changes nothing. libcurl does so by itself where
                it is a connection kept too long, and none of the answer has come.

        Raises:
            NoAnswer: or one of its kinds.
        """
        request = _Request(method, self._url + target, body, {**self._headers, **(headers or {})}, on_long)
        if not tracing.is_on():
            return self._perform(request, timeout, again=again)
        name, attributes = self._describe(method, target.partition("?")[0])
        attributes |= {"http.request.method": method, **self._server}
        with tracing.span(name, SpanKind.CLIENT, attributes) as span:
            if traceparent := tracing.traceparent():
                request.headers["traceparent"] = traceparent
            answer = self._perform(request, timeout, again=again)
            span.set_attributes(self._describe_status(answer.status))
            if answer.status >= HTTPStatus.BAD_REQUEST:
                tracing.fail(span, str(answer.status))
            return answer

    def _describe(self, method: str, path: str) -> tuple[str, dict[str, str | int]]:
        """The name and the attributes of a request's span.

        https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
        """
        return f"{method} {path}", {"url.template": path}

    def _describe_status(self, status: int) -> dict[str, str | int]:
        """The attributes of an answer in its request's span."""
        return {"http.response.status_code": status}

    def _perform(self, request: "_Request", timeout: float | None, *, again: bool) -> Answer:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _Connection(self._ca_certs, with_headers=self._with_headers, may_connect=self._may_connect)
        was_kept, started = connection.is_kept, time.monotonic()
        try:
            connection.prepare(request)
            try:
                return connection.perform(_Reading(self._limit, request.on_long), timeout)
            except Dropped:
                if was_kept or not again:
                    raise
            left = None if timeout is None else timeout - (time.monotonic() - started)
            return connection.perform(_Reading(self._limit, request.on_long), left)
        finally:
            connection.forget()
            if len(self._idle) < self._most:
                self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()


@dataclass(slots=True)
class _Request:
    """A request as it is sent."""

    method: str
    url: str
    body: bytes | None
    headers: dict[str, str]
    on_long: Callable[[int], None] | None


@dataclass(slots=True)
class _Reading:
    """An answer as it comes."""

    limit: int
    on_long: Callable[[int], None] | None
    lines: list[bytes] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    announced: int = 0
    error: BaseException | None = None

    def take(self, part: bytes) -> int | None:
        """Take a part of the body; 0 ends the transfer."""
        length = len(self.body) + len(part)
        if length > LONG_BYTES and not self.announced:
            try:
                self._announce()
            except BaseException as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # raised again
                self.error = error
                return 0
        if length > self.limit:
            self.error = AnswerTooLarge(f"the answer is longer than {self.limit} bytes")
            return 0
        self.body += part
        return None

    def _announce(self) -> None:
        self.announced = min(self.limit, int(self.headers().get("content-length", self.limit)))
        if self.on_long is not None:
            self.on_long(self.announced)

    def whole(self, status: int) -> Answer:
        """The answer, now that all of it has come."""
        if self.on_long is not None and self.announced not in (0, len(self.body)):
            self.on_long(len(self.body))
        return Answer(status, self.headers(), self.body)

    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        named = (line.decode("latin-1").partition(":") for line in self.lines)
        return {name.lower(): value.strip() for name, colon, value in named if colon}


class _Connection:
    """A handle of libcurl's, which keeps a connection.

    Attributes:
        is_kept: whether there is one from the last exchange.
    """

    def __init__(self, ca_certs: str, *, with_headers: bool, may_connect: Callable[[str], bool] | None = None) -> None:
        self.is_kept = False
        self._is_refused = False
        self._opened: list[socket.socket] = []
        self._reading: _Reading | None = None
        self._curl = curl = pycurl.Curl()
        for option, value in _OPTIONS.items():
            curl.setopt(option, value)
        curl.setopt(pycurl.CAINFO, ca_certs)
        curl.setopt(pycurl.WRITEFUNCTION, self._take)
        if with_headers:
            curl.setopt(pycurl.HEADERFUNCTION, self._take_line)
        if may_connect is not None:
            curl.setopt(pycurl.OPENSOCKETFUNCTION, partial(self._open, may_connect))

    def prepare(self, request: _Request) -> None:
        """Set what the next request is."""
        curl = self._curl
        # One that another method left would go on.
        curl.setopt(pycurl.NOBODY, request.method == "HEAD")
        if request.body is not None:
            curl.setopt(pycurl.POSTFIELDS, request.body)
        elif request.method != "HEAD":
            curl.setopt(pycurl.HTTPGET, True)
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        curl.setopt(pycurl.URL, request.url if request.url.isascii() else quote(request.url, safe=_SAFE))
        # A long body is sent without asking the server whether it wants it.
        curl.setopt(pycurl.HTTPHEADER, [*[f"{name}: {value}" for name, value in request.headers.items()], "Expect:"])

    def perform(self, reading: _Reading, timeout: float | None) -> Answer:
        """Send the request, and read the answer; see ``HttpExchange.ask``."""
        self._reading = reading
        self.is_kept = self._is_refused = False
        try:
            self._curl.setopt(pycurl.TIMEOUT_MS, 0 if timeout is None else max(1, math.ceil(timeout * 1000)))
            self._curl.perform()
            self.is_kept = True
            return reading.whole(self._curl.getinfo(pycurl.RESPONSE_CODE))
        except pycurl.error as error:
            raise reading.error or self._no_answer(*error.args) from None
        finally:
            self._reading = None
            while self._opened:
                self._opened.pop().close()

    def forget(self) -> None:
        """Let go of the request's body."""
        self._curl.setopt(pycurl.POSTFIELDS, b"")

    def close(self) -> None:
        """Close the connection."""
        self._curl.close()

    def _open(self, may_connect: Callable[[str], bool], _purpose: int, peer: Any) -> Any:
        """Make the socket of a connection; none to an address that is refused."""
        if not may_connect(peer.addr[0]):
            self._is_refused = True
            return pycurl.SOCKET_BAD
        opened = socket.socket(peer.family, peer.socktype, peer.protocol)
        # libcurl gets a duplicate; this one is closed after the exchange.
        self._opened.append(opened)
        return opened

    def _take(self, part: bytes) -> int | None:
        assert self._reading is not None
        return self._reading.take(part)

    def _take_line(self, line: bytes) -> None:
        assert self._reading is not None
        if line.startswith(b"HTTP/"):
            # The head of an earlier answer, such as 100, is not this one's.
            self._reading.lines.clear()
        self._reading.lines.append(line)

    def _no_answer(self, code: int, reason: str) -> NoAnswer:
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return TimedOut(reason, was_sent=self._curl.getinfo(pycurl.REQUEST_SIZE) > 0)
        if code == pycurl.E_COULDNT_CONNECT and self._is_refused:
            return AddressRefused(reason)
        if code in _DROPPED:
            return Dropped(reason)
        return (NotTrusted if code in _NOT_TRUSTED else NoAnswer)(reason)


_SAFE = "!#$%&'()*+,/:;=?@[]~"
"""Characters that stand for themselves in a URL (RFC 3986, section 2.2)."""

_OPTIONS = {
    # The process's signals are its own.
    pycurl.NOSIGNAL: True,
    # The environment's proxies are not meant for our own servers.
    pycurl.PROXY: "",
    pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
    # A path has been written by who knows what it means.
    pycurl.PATH_AS_IS: True,
    pycurl.BUFFERSIZE: LONG_BYTES,
    pycurl.TCP_KEEPALIVE: True,
    pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
}
