"""Server process of the gateway, and the workers that it starts.

Why: a worker that dies is replaced, because ending the service would stop its neighbours and wait for the supervisor's
back-off. A worker that dies within 5.5 s of such a start ends the service with status 1: replacing it for ever would
look alive and answer nothing. A SIGTERM to the whole process group is a stop and no loss of workers.
"""

import asyncio
import gc
import logging
import math
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import Any

import django
from django.conf import settings
from granian.constants import Interfaces

from gateway.serving.metrics_files import allocate, give_back
from kit import tracing
from kit.event_loop import EventLoop
from kit.logs import take_over
from kit.server import Server, end_with_parent, require_free
from kit.traced_asgi import traced

logger = logging.getLogger("gateway")

BAD_CONFIGURATION = 2
_DRAIN_SECONDS = 9
"""Seconds that a worker may take to end, besides the longest request."""


class _Server(Server):
    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        """Start others in their place; what the old ones were doing at the end is true no more."""
        # It looks at its import where the metrics are, and this module is imported before that is known.
        from prometheus_client.multiprocess import mark_process_dead  # pylint: disable=import-outside-toplevel

        gone = [self.wrks[number].inner.pid for number in workers]
        super()._respawn_workers(workers, *args, **kwargs)
        for process in gone:
            mark_process_dead(process)  # type: ignore[no-untyped-call]  # comes without types
            give_back(_metrics_folder(), process)


def _metrics_folder() -> Path:
    return Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


def serve() -> int:
    """Check the configuration, then serve in the foreground until SIGTERM or SIGINT.

    Returns:
        the exit status.
    """
    django.setup()
    # It reads the settings, which the caller has found to be valid.
    from gateway.serving.checks import check_for_serving  # pylint: disable=import-outside-toplevel

    take_over()
    errors = False
    for message in check_for_serving():
        logger.log(message.level, "%s: %s; %s", message.id, message.msg, message.hint)
        errors |= message.is_serious()
    if errors:
        return BAD_CONFIGURATION
    configured = settings.GATEWAY
    try:
        require_free(configured.host, configured.port)
    except OSError as error:
        logger.error("GATEWAY_HOST, GATEWAY_PORT: cannot serve on %s:%s: %s", configured.host, configured.port, error)
        return BAD_CONFIGURATION
    try:
        configured.spool_dir.mkdir(0o700, parents=True, exist_ok=True)
        TemporaryFile(dir=configured.spool_dir).close()
    except OSError as error:
        logger.error("GATEWAY_SPOOL_DIR: cannot write to %s: %s", configured.spool_dir, error.strerror)
        return BAD_CONFIGURATION
    server = _Server(
        "gateway.serving.application:Application",
        address=configured.host,
        port=configured.port,
        interface=Interfaces.ASGINL,
        workers=configured.workers,
        workers_kill_timeout=math.ceil(configured.request_timeout) + _DRAIN_SECONDS,
        log_dictconfig=settings.LOGGING,
    )
    logger.info("serving on http://%s:%s", configured.host, configured.port)
    server.serve(target_loader=_load, wrap_loader=False)
    # The interpreter gives the signals up on its way out, and another one would kill it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logger.info("stopped")
    return 0


def _load() -> Any:
    """Load the application in a worker process, and see to it that the worker ends when its parent is killed."""
    try:
        allocate(_metrics_folder(), os.getpid())
    except OSError as error:
        logger.error("TMPDIR: no room for a worker's metrics in %s: %s", gettempdir(), error.strerror)
        sys.exit(BAD_CONFIGURATION)
    # pylint: disable=import-outside-toplevel  # after the fork
    from gateway.audit.delivery import event_delivery
    from gateway.http import metrics_values
    from gateway.http.memory import keep_little_free_memory
    from gateway.identity.providers.key_sets import keep_fetched
    from gateway.identity.providers.settings import read_providers
    from gateway.serving.application import Application

    keep_little_free_memory()
    # Now rather than with the first request, because it may have events to send that an earlier process left.
    event_delivery()
    keep_fetched(read_providers(settings.GATEWAY.providers.get_secret_value()).values())
    tracing.set_up("gateway", settings.TRACING)
    metrics_values.keep_written()
    end_with_parent()
    application = Application()
    # Objects loaded at the start stay; the collector need not walk through them again and again.
    gc.collect()
    gc.freeze()
    loop = asyncio.get_event_loop()
    assert isinstance(loop, EventLoop)
    loop.on_stop = application.stop
    return traced(application) if tracing.is_on() else application
