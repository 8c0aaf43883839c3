"""HTTP server of a service: granian's, with workers that end when they are told and when their parent is gone."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from typing import Any

from granian.constants import HTTPModes, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from kit import event_loop  # noqa: F401  # pylint: disable=unused-import  # registers the loop

_INSIST_SECONDS = 0.1


class Server(MPServer):
    """granian's server for HTTP/1.1 with uvloop; other arguments are granian's."""

    def __init__(self, target: str, **options: Any) -> None:
        super().__init__(
            target,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
            websockets=False,
            # A worker that ends again right after its start ends the service, so that its supervisor sees it.
            respawn_failed_workers=True,
            log_level=LogLevels.error,
            **options,
        )

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop the workers, also those that have only begun.

        Such a one may not hear the first SIGTERM: it is forked with a handler that is its parent's, and uvloop drops
        signals that come while it does not run. So it is told until it ends.
        """
        threading.Thread(target=_insist, name="insist", daemon=True).start()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]  # granian's methods have no types


def _insist() -> None:
    while workers := multiprocessing.active_children():
        time.sleep(_INSIST_SECONDS)
        for worker in workers:
            worker.terminate()


def require_free(host: str, port: int) -> None:
    """Refuse a port that is taken: granian itself would share it with the other server (SO_REUSEPORT).

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.create_server((host, port), family=family).close()


def end_with_parent() -> None:
    """End this worker process when its parent is killed."""
    threading.Thread(target=_watch_parent, name="parent-watch", daemon=True).start()


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        # More than once, for the same reason as the parent's own insisting.
        while True:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(_INSIST_SECONDS)
