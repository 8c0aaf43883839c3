"""The ASGI application of live sockets: a handshake is admitted or refused, and a socket served to its end."""

from functools import partial
from http import HTTPStatus

from django.http import HttpResponse

from gateway.http.problems import Code, Problem, malformed, problem_response
from gateway.live.admission import PATHS, Handshake, Refused
from gateway.live.connection import Connection, Ended, Gone, Message, Receive, Send
from gateway.live.database import ask
from gateway.live.inboxes import Inboxes
from gateway.live.members import Kind
from gateway.live.metrics import ENDED
from gateway.live.notifications import NotificationsSocket
from gateway.live.registry import Place, Registry
from gateway.live.tail import TailSocket, Trail


class Application:  # pylint: disable=too-few-public-methods  # it is called
    """All sockets of this process.

    Args:
        registry: who has one.
        inboxes: what wakes the sockets of notifications.
        trail: what the tails show.
    """

    def __init__(self, registry: Registry, inboxes: Inboxes, trail: Trail) -> None:
        self._registry = registry
        self._inboxes = inboxes
        self._trail = trail

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        kind = PATHS.get(scope["path"])
        if scope["type"] != "websocket":
            await _respond(send, "http.response", problem_response(_no_socket(kind)))
            return
        await receive()
        if kind is None:
            await _respond(send, "websocket.http.response", problem_response(_no_socket(kind)))
            return
        handshake = Handshake.read(scope, kind)
        try:
            member = await ask(handshake.admit)
            with self._registry.place(member) as place:
                await self._serve(handshake, place, Connection(receive, send))
        except Refused as refused:
            refused.response["X-Request-ID"] = handshake.correlation.request_id
            await _respond(send, "websocket.http.response", refused.response)
        except Problem as problem:
            response = await ask(partial(handshake.refuse, member, problem))
            response["X-Request-ID"] = handshake.correlation.request_id
            await _respond(send, "websocket.http.response", response)

    async def _serve(self, handshake: Handshake, place: Place, connection: Connection) -> None:
        await connection.accept()
        member = place.member
        try:
            if member.kind is Kind.TAIL:
                await TailSocket(connection, place, self._trail, handshake.record_tail).serve()
            else:
                await NotificationsSocket(connection, place, self._inboxes).serve()
        except Gone:
            pass
        except Ended as why:
            ENDED.labels(why.farewell).inc()
            await connection.end(why)


def _no_socket(kind: Kind | None) -> Problem:
    if kind is not None:
        return malformed("This path takes a WebSocket (RFC 6455); send Upgrade.")
    return Problem(
        HTTPStatus.NOT_FOUND, Code.NOT_FOUND, f"There is nothing at this path; sockets are at {' and '.join(PATHS)}."
    )


async def _respond(send: Send, kind: str, response: HttpResponse) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    headers += [(b"content-length", str(len(response.content)).encode()), (b"connection", b"close")]
    await send({"type": f"{kind}.start", "status": response.status_code, "headers": headers})
    await send({"type": f"{kind}.body", "body": response.content})
