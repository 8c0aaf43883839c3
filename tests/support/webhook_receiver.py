"""A receiver of webhooks: a real HTTPS server, with a certificate of an authority of the test's own."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from deploy.first_start import certificates
from tests.support.http_server import QuietHandler, serving


@dataclass
class Receiver:  # pylint: disable=too-many-instance-attributes  # each is asked for somewhere
    """Requests that were received, and how the next ones are answered.

    Attributes:
        url: its address, by the name "localhost".
        ca_certs: file of the authority.
        statuses: of the next answers, in order; after these, 204.
        location: where a redirect leads to.
        body: of an answer.
        wait: seconds before an answer.
    """

    url: str
    ca_certs: Path
    statuses: list[int] = field(default_factory=list)
    location: str = ""
    body: bytes = b""
    wait: float = 0.0
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def webhook_receiver(home: Path, *hosts: str) -> Iterator[Receiver]:
    """A receiver, while the context lasts, whose certificate is for these hosts ("localhost" without any)."""
    now = datetime.now(UTC)
    authority_key, key = certificates.new_key(), certificates.new_key()
    authority = certificates.authority(authority_key, "receivers", now)
    certificate = certificates.server(key, list(hosts or ("localhost",)), (authority_key, authority), now)
    files = {"ca.crt": authority, "tls.crt": certificate, "tls.key": key}
    for name, text in files.items():
        (home / name).write_text(text, encoding="ascii")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(home / "tls.crt", home / "tls.key")
    receiver = Receiver("", home / "ca.crt")

    class _Handler(QuietHandler):
        def do_POST(self) -> None:  # pylint: disable=invalid-name  # as the library has it
            """Take a webhook."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.lock:
                receiver.received.append((self.path, dict(self.headers), body))
                status = receiver.statuses.pop(0) if receiver.statuses else HTTPStatus.NO_CONTENT
            time.sleep(receiver.wait)
            self.send_response(status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            if status != HTTPStatus.NO_CONTENT:
                self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            if status != HTTPStatus.NO_CONTENT:
                self.wfile.write(receiver.body)

    with serving(_Handler, threads=True, tls=tls) as url:
        receiver.url = url.replace("http://127.0.0.1", "https://localhost")
        yield receiver
