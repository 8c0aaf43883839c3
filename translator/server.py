"""The server process."""

import asyncio
import gc
import logging
import logging.config
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVarTuple

import uvloop
from granian import loops
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from elastic.settings import ElasticsearchSettings
from kit import logs, tracing
from kit.settings import ConfigurationError, TracingSettings
from kit.traced_asgi import traced
from translator.app import create_app
from translator.settings import TranslatorSettings

logger = logging.getLogger("translator")

_Ts = TypeVarTuple("_Ts")

_STOP_SECONDS = 15
_INSIST_SECONDS = 0.1
_LEVELS = {"translator": "INFO", "elastic_transport": "ERROR"}


class EventLoop(uvloop.Loop):
    """uvloop's, in which a stop is heard of once, however often the process is told.

    The server's own handler waits, with the interpreter's lock held, for somebody to take note of the third signal; by
    then nobody does.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stopping = False

    def add_signal_handler(self, sig: int, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        """As asyncio has it, but that the server's handler, for whichever signal, is called once."""
        super().add_signal_handler(sig, self._stop, callback, *args)

    def _stop(self, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        if not self._stopping:
            self._stopping = True
            callback(*args)


@loops.register(Loops.uvloop)
def _build_loop() -> EventLoop:
    """The server's way to be given a loop, here in the place of its own."""
    loop = EventLoop()
    asyncio.set_event_loop(loop)
    return loop


class _Server(MPServer):
    def shutdown(self, exit_code: int = 0) -> None:
        """Stop the worker, also one that has only begun.

        That one may not hear the first SIGTERM: it is forked with a handler that is its parent's, and uvloop drops
        signals that come while it does not run. So it is told until it ends.
        """
        threading.Thread(target=_insist, name="insist", daemon=True).start()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # granian's methods have no types


def _insist() -> None:
    while workers := multiprocessing.active_children():
        time.sleep(_INSIST_SECONDS)
        for worker in workers:
            worker.terminate()


def serve() -> int:
    """Serve in the foreground until SIGTERM or SIGINT.

    Returns:
        The exit status.

    Raises:
        ConfigurationError: a setting is missing or bad, or the port is taken.
    """
    settings = TranslatorSettings.load()
    # The worker reads these too, but a bad one has to stop the start-up here.
    ElasticsearchSettings.load()
    TracingSettings.load()
    log_configuration = logs.configuration("translator", settings.log_format, _LEVELS)
    logging.config.dictConfig(log_configuration)
    logs.take_over()
    try:
        # The server itself would share a port that another translator serves on (SO_REUSEPORT).
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise ConfigurationError(
            f"TRANSLATOR_HOST, TRANSLATOR_PORT: cannot serve on {settings.host}:{settings.port}: {error.strerror}"
        ) from None
    server = _Server(
        "translator.app:create_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=1,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
        websockets=False,
        workers_kill_timeout=_STOP_SECONDS,
        # One that ends again right after its start ends the translator, so that whoever started that sees it.
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_dictconfig=log_configuration,
    )
    logger.info("serving on http://%s:%s", settings.host, settings.port)
    server.serve(target_loader=_load, wrap_loader=False)
    logger.info("stopped")
    return 0


def _load() -> Any:
    """Make the application in the worker process, and see to it that the worker ends when its parent is killed."""
    tracing.set_up("translator", TracingSettings.load())
    threading.Thread(target=_stop_with_parent, name="parent-watch", daemon=True).start()
    app = create_app()
    # What was loaded at the start stays; the collector need not walk through it every few requests.
    gc.collect()
    gc.freeze()
    return traced(app) if tracing.is_on() else app


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
