"""``python -m gateway`` serves; ``python -m gateway COMMAND`` runs a command (``migrate``, ``user``, ``search``…)."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from importlib import import_module
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import django
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import execute_from_command_line
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from elastic.settings import ConfigurationError

logger = logging.getLogger("gateway")

_BAD_CONFIGURATION = 2
_STOP_SECONDS = 15


def main(arguments: list[str]) -> int:
    """Serve in the foreground until SIGTERM or SIGINT, or run a command.

    Returns:
        the exit status: 0 after a clean stop, 2 for settings that nothing can start with.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    try:
        import_module("gateway.settings")
    except ConfigurationError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return _BAD_CONFIGURATION
    if arguments:
        execute_from_command_line(["python -m gateway", *arguments])
        return 0
    # Before anything imports prometheus_client, which looks once whether there is such a folder.
    with TemporaryDirectory(prefix="gateway-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        return serve()


def serve() -> int:
    """Check the configuration, then serve."""
    django.setup()
    errors = False
    for message in run_checks():
        logger.log(message.level, "%s: %s; %s", message.id, message.msg, message.hint)
        errors |= message.is_serious()
    if errors:
        return _BAD_CONFIGURATION
    configured = settings.GATEWAY
    try:
        # The server itself would share a port that another gateway serves on (SO_REUSEPORT).
        family = socket.AF_INET6 if ":" in configured.host else socket.AF_INET
        socket.create_server((configured.host, configured.port), family=family).close()
    except OSError as error:
        logger.error("GATEWAY_HOST, GATEWAY_PORT: cannot serve on %s:%s: %s", configured.host, configured.port, error)
        return _BAD_CONFIGURATION
    try:
        configured.spool_dir.mkdir(0o700, parents=True, exist_ok=True)
        TemporaryFile(dir=configured.spool_dir).close()
    except OSError as error:
        logger.error("GATEWAY_SPOOL_DIR: cannot write to %s: %s", configured.spool_dir, error.strerror)
        return _BAD_CONFIGURATION
    server = Server(
        "gateway.asgi:Application",
        address=configured.host,
        port=configured.port,
        interface=Interfaces.ASGINL,
        workers=configured.workers,
        loop=Loops.uvloop,
        workers_kill_timeout=_STOP_SECONDS,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
        log_level=LogLevels.error,
        log_dictconfig=settings.LOGGING,
    )
    logger.info("serving on http://%s:%s", configured.host, configured.port)
    server.serve(target_loader=_load, wrap_loader=False)
    logger.info("stopped")
    return 0


def _load() -> Any:
    """Load the application in a worker process, and see to it that the worker ends when its parent is killed."""
    # pylint: disable=import-outside-toplevel  # after the fork
    from gateway.asgi import Application
    from gateway.audit import audit_trail

    # Now rather than with the first request, because it may have events to send that an earlier process left.
    audit_trail()
    threading.Thread(target=_stop_with_parent, name="parent-watch", daemon=True).start()
    return Application()


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
