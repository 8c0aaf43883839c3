"""Command line of ``python -m gateway``: serve, or run one of Django's commands."""

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from tempfile import gettempdir
from types import FrameType

from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import DatabaseError

from gateway.serving.metrics_files import allocate, metrics_folder, require_room
from gateway.serving.supervisor import BAD_CONFIGURATION, serve
from kit.settings import ConfigurationError


def main(arguments: Sequence[str]) -> int:
    """Serve in the foreground until SIGTERM or SIGINT, or run a command.

    Returns:
        the exit status: 0 after a clean stop, 1 for a database that fails, 2 for settings that nothing can start with.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    try:
        import_module("gateway.settings")
    except ConfigurationError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return BAD_CONFIGURATION
    if arguments:
        try:
            execute_from_command_line(["python -m gateway", *arguments])
        except DatabaseError as error:
            print(f"gateway: GATEWAY_DATABASE_URL: {' '.join(str(error).split())}", file=sys.stderr)
            return 1
        return 0
    # Before anything imports prometheus_client, which looks once whether there is such a folder.
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(metrics_folder())
            allocate(folder, os.getpid())
            require_room(folder, settings.GATEWAY.workers)
        except OSError as error:
            print(f"gateway: TMPDIR: no room for metrics in {gettempdir()}: {error.strerror}", file=sys.stderr)
            return BAD_CONFIGURATION

        def end(_number: int, _frame: FrameType | None) -> None:
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)

        # As before, until the server takes the signals over; but now there is a folder to take away.
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        # Not before: the library looks for the folder when it is loaded.
        import_module("gateway.http.metrics_values").install()
        return serve()
