"""Server process of live sockets: ``python -m gateway live``.

Why a server of its own: granian takes messages of 64 MiB, sends no pings, and cuts sockets off at its stop; and this
process alone reads the topics, with rights of its own.
"""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Mapping
from types import FrameType

import uvicorn
import uvloop
from confluent_kafka import Message
from django.conf import settings
from django.db import DatabaseError, connection

from contracts.console_event.event import decode
from contracts.invalid import InvalidRecord
from gateway.http.database_timeout import at_most
from gateway.identity.models import User
from gateway.live.application import Application
from gateway.live.frames import MAX_CLIENT_BYTES
from gateway.live.inboxes import Inboxes
from gateway.live.protocols import HttpProtocol, WebSocketProtocol
from gateway.live.registry import Registry
from gateway.live.tail import Trail
from gateway.live.topic_reader import Taker, TopicReader
from gateway.live.trail import TrailEvent
from gateway.live.trail_events import read_trail_event
from kit.health import serve_health
from kit.logs import describe

logger = logging.getLogger(__name__)

_PING_SECONDS = 20.0
_BACKLOG = 1024
_UNSENT_BYTES = 64 * 1024
"""Of a socket in the kernel, which takes twice as many for its own use."""
_STOP_SECONDS = 8
_TURN_SECONDS = 1.0
_PROBE_SECONDS = 1.0
_RECENT_EVENTS = 1_000
"""Of each partition, which are read at the start, for tails that go on where an earlier process ended."""


class _Server(uvicorn.Server):
    """uvicorn's server, which lets sockets say farewell before it closes them."""

    def __init__(self, config: uvicorn.Config, registry: Registry) -> None:
        super().__init__(config)
        self._registry = registry

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the sockets, then the server."""
        for server in self.servers:
            server.close()
        self._registry.stop()
        deadline = time.monotonic() + _STOP_SECONDS
        while self.server_state.connections and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)


class _Live:
    """State of this process for health and readiness."""

    def __init__(self, readers: Mapping[str, TopicReader]) -> None:
        self.last_turn = time.monotonic()
        self._readers = readers

    async def turn(self) -> None:
        """Note that the event loop turns."""
        while True:
            self.last_turn = time.monotonic()
            await asyncio.sleep(_TURN_SECONDS)

    def dependencies(self) -> dict[str, str | None]:
        """Reason why each dependency is not ready, or None."""
        return {
            "database": _probe_database(),
            **{f"kafka {topic}": reader.probe(_PROBE_SECONDS) for topic, reader in self._readers.items()},
        }


def serve() -> None:
    """Serve in the foreground until SIGTERM or SIGINT.

    Raises:
        OSError: an address cannot be had.
    """
    listener = _listen(settings.GATEWAY.live_host, settings.GATEWAY.live_port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(listener))
    logger.info("stopped")


def _readers(inboxes: Inboxes, trail: Trail) -> dict[str, TopicReader]:
    """The readers of both topics, which hand over to the event loop."""
    loop = asyncio.get_running_loop()

    def add(events: list[TrailEvent]) -> None:
        for event in events:
            trail.ring.add(event)
        trail.changed()

    console, audit = settings.CONSOLE.topic, settings.AUDIT.topic
    return {
        console: TopicReader(
            settings.KAFKA,
            console,
            0,
            Taker(
                began=lambda _positions, _ends: None,
                took=lambda records: loop.call_soon_threadsafe(inboxes.wake, _users(records)),
            ),
        ),
        audit: TopicReader(
            settings.KAFKA,
            audit,
            _RECENT_EVENTS,
            Taker(
                began=lambda positions, ends: loop.call_soon_threadsafe(trail.ring.begin, positions, ends),
                took=lambda records: loop.call_soon_threadsafe(add, list(map(read_trail_event, records))),
            ),
        ),
    }


async def _serve(listener: socket.socket) -> None:
    registry, inboxes, trail = Registry(), Inboxes(), Trail()
    readers = _readers(inboxes, trail)
    live = _Live(readers)
    configured = settings.GATEWAY
    serve_health(live, "live", configured.live_metrics_host, configured.live_metrics_port)
    server = _Server(
        uvicorn.Config(
            Application(registry, inboxes, trail),
            http=HttpProtocol,
            ws=WebSocketProtocol,
            ws_max_size=MAX_CLIENT_BYTES,
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PING_SECONDS,
            ws_per_message_deflate=False,
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        ),
        registry,
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # The server takes the signals over, and gives them back at its end, when it repeats the one that has ended it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    for reader in readers.values():
        reader.start()
    working = [asyncio.create_task(work) for work in (inboxes.run(), registry.check(), live.turn())]
    logger.info("serving sockets on ws://%s:%d", configured.live_host, configured.live_port)
    try:
        await server.serve([listener])
    finally:
        for task in working:
            task.cancel()
        for reader in readers.values():
            await asyncio.to_thread(reader.stop)


def _listen(host: str, port: int) -> socket.socket:
    """A socket whose connections keep little in the kernel for a client that takes nothing."""
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT_BYTES)
    listener.listen(_BACKLOG)
    return listener


def _users(records: list[Message]) -> list[int]:
    """Users that console events name; invalid events are ignored, as every inbox is looked at in any case."""
    users = []
    for record in records:
        try:
            users.append(decode(record.value()).user)
        except InvalidRecord as error:
            logger.warning("a console event is not read: %s", error)
    return users


def _probe_database() -> str | None:
    try:
        with at_most(_PROBE_SECONDS):
            User.objects.filter(pk=0).values_list("pk").exists()
    except DatabaseError as error:
        connection.close()
        return describe(error)
    return None
