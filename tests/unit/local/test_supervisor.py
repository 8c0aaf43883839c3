"""The wait for a supervisord that has only begun."""

import socket
import subprocess
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from local.supervisor import Supervisor


class _Handler(SimpleXMLRPCRequestHandler):
    """Answers on a socket that has no address."""

    disable_nagle_algorithm = False


class _Daemon(SimpleXMLRPCServer):
    """A supervisord that binds its socket, and listens only when it has been looked at a few times."""

    address_family = socket.AF_UNIX

    def __init__(self, path: Path) -> None:
        super().__init__(cast(tuple[str, int], str(path)), _Handler, logRequests=False, bind_and_activate=False)
        self.register_function(lambda: {"statename": "RUNNING"}, "supervisor.getState")
        self.server_bind()
        self._looks = 0

    def poll(self) -> None:
        """It runs."""
        self._looks += 1
        if self._looks == 3:
            self.server_activate()
            threading.Thread(target=self.serve_forever, args=(0.01,)).start()


def test_a_socket_that_is_bound_before_it_listens_is_tried_again(tmp_path: Path) -> None:
    # A socket's path may have some hundred characters, and the tests' folder may well be longer.
    with TemporaryDirectory() as short:
        path = Path(short) / "supervisor.sock"
        with _Daemon(path) as daemon:
            running = Supervisor(cast(subprocess.Popen[bytes], daemon), path, tmp_path)
            daemon.shutdown()
            running.check()
            running._transport.close()  # pylint: disable=protected-access  # it ends nothing else here
