"""nginx with the configuration that is deployed, on free ports of this machine and with a certificate made here."""

import os
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import orjson
import psutil
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local import ports
from tests.support.gateway import PATIENCE_SECONDS
from tests.support.paths import ROOT
from tests.support.process import find_program, running
from tests.support.waiting import eventually

CONFIGURATION = ROOT / "deploy" / "nginx"


class Edge:
    """A running nginx.

    Attributes:
        url: where it serves TLS.
        plain_url: where it redirects from.
        port: that of ``url``.
        tls: trusts its certificate.
    """

    def __init__(self, home: Path, plain_port: int, port: int, process: psutil.Popen) -> None:
        self.port = port
        self._home = home
        self._process = process
        self.url = f"https://127.0.0.1:{port}"
        self.plain_url = f"http://127.0.0.1:{plain_port}"
        self.tls = ssl.create_default_context(cafile=home / "tls.crt")

    def route(self, command: str, queries: list[str]) -> None:
        """Know other gateways; gives back when those who were being served by the old ones are.

        Args:
            command: the address of the command gateway, as ``host:port``.
            queries: those of one or two query gateways.
        """
        before = {each.pid for each in self._process.children()}
        upstream = _upstream([command, queries[0], queries[-1]], queries[0])
        (self._home / "upstream.conf").write_text(upstream, encoding="utf-8")
        self._process.send_signal(signal.SIGHUP)

        def replaced() -> bool:
            now = {each.pid for each in self._process.children()}
            return bool(now) and not now & before

        eventually(replaced, "nginx has a new worker alone")

    def worker(self) -> psutil.Process:
        """The one process that serves, once it has answered something."""
        return self._process.children()[0]

    def request(
        self,
        method: str,
        target: str,
        *,
        body: Any = None,
        headers: dict[str, str] | None = None,
        client: str = "127.0.0.1",
    ) -> urllib3.BaseHTTPResponse:
        """Ask over TLS, on a connection of its own.

        Args:
            method: of HTTP.
            target: path and query string, sent as it is.
            body: bytes, or an iterator of them, which is sent in chunks.
            headers: of the request.
            client: the loopback address that the request comes from.
        """
        pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1", self.port, ssl_context=self.tls, source_address=(client, 0), timeout=PATIENCE_SECONDS
        )
        return pool.urlopen(method, target, body=body, headers=headers, retries=False, redirect=False)

    def raw(self, data: bytes, client: str = "127.0.0.1") -> bytes:
        """Send bytes over TLS; gives everything that comes back until nginx hangs up."""
        with self.connected(client) as connection:
            connection.sendall(data)
            return read_to_end(connection)

    @contextmanager
    def connected(self, client: str = "127.0.0.1") -> Iterator[ssl.SSLSocket]:
        """A connection over TLS."""
        with (
            socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS, (client, 0)) as plain,
            self.tls.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            yield connection

    def logged(self, response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        """The line of a request in the access log, which is written when its answer has left."""

        def lines() -> list[dict[str, Any]]:
            return [line for line in self.log() if line["http.request.id"] == response.headers["X-Request-ID"]]

        (line,) = eventually(lines, "the request is in the log")
        return line

    def log(self) -> list[dict[str, Any]]:
        """The access log so far; a line that is no JSON object fails the test."""
        return [orjson.loads(line) for line in (self._home / "access.log").read_bytes().splitlines()]

    def everything_logged(self) -> str:
        """Both logs, as they are."""
        return (self._home / "access.log").read_text() + (self._home / "errors.log").read_text()


def read_to_end(connection: socket.socket) -> bytes:
    """Read until the other side hangs up, in one manner or another."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except (ConnectionError, ssl.SSLEOFError):
        pass
    return received


@contextmanager
def serving(
    home: Path, gateways: list[str], *, command: str | None = None, live: str | None = None, **changes: str
) -> Iterator[Edge]:
    """Run nginx while the context lasts.

    Args:
        home: an empty folder for its files.
        gateways: the addresses of two query gateways, as ``host:port``.
        command: that of the command gateway; by default that of the first of these, which then has both roles.
        live: that of the process of live sockets; by default that of the first of these, which has none.
        changes: directives by name: the value that the test wants instead of those that are deployed.
    """
    nginx = find_program("nginx")
    plain_port, port = ports.free(2)
    _make_certificate(home)
    (home / "nginx.conf").write_text(_configuration(home, plain_port, port, changes), encoding="utf-8")
    (home / "upstream.conf").write_text(
        _upstream([command or gateways[0], *gateways], live or gateways[0]), encoding="utf-8"
    )
    # Workers keep their user, who alone can read what the test has made.
    main = "daemon off;" + (" user root;" if os.geteuid() == 0 else "")
    started = [nginx, "-e", "stderr", "-p", str(home), "-c", str(home / "nginx.conf"), "-g", main]
    with (
        (home / "access.log").open("wb") as log,
        (home / "errors.log").open("wb") as errors,
        running(*started, stdin=subprocess.DEVNULL, stdout=log, stderr=errors) as process,
    ):
        eventually(lambda: _listens(process, port, home / "errors.log"), "nginx listens")
        yield Edge(home, plain_port, port, process)


def check(home: Path, upstream: str) -> str:
    """Complaint of nginx about the configuration with another ``upstream.conf``, which it only reads; empty if sound.

    Args:
        home: an empty folder for its files.
        upstream: the content, in which names are left as they are and not looked up.
    """
    nginx = find_program("nginx")
    plain_port, port = ports.free(2)
    _make_certificate(home)
    (home / "nginx.conf").write_text(_configuration(home, plain_port, port, {}), encoding="utf-8")
    # Debian's nginx does not resolve a name again.
    local = re.sub(r"server [a-z0-9.-]+(:\d+) resolve ", r"server 127.0.0.1\1 ", upstream)
    local = re.sub(r"resolver \S+ ", "resolver 127.0.0.1 ", local)
    (home / "upstream.conf").write_text(local, encoding="utf-8")
    done = subprocess.run(
        [nginx, "-t", "-q", "-e", "stderr", "-p", home, "-c", home / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode else ""


def _configuration(home: Path, plain_port: int, port: int, changes: dict[str, str]) -> str:
    configuration = (CONFIGURATION / "nginx.conf").read_text(encoding="utf-8")
    for old, new in {
        " /tmp/": f" {home}/",
        "/etc/nginx/tls/": f"{home}/",
        "listen 8080;": f"listen 127.0.0.1:{plain_port};",
        "listen 8443 ": f"listen 127.0.0.1:{port} ",
    }.items():
        assert old in configuration
        configuration = configuration.replace(old, new)
    for directive, value in changes.items():
        configuration, found = re.subn(rf"(?m)^( *{directive}) .*;$", rf"\1 {value};", configuration)
        assert found, directive
    return configuration


def _upstream(gateways: list[str], live: str) -> str:
    upstream = (CONFIGURATION / "upstream.conf").read_text(encoding="utf-8")
    for name, gateway in zip(("command-gateway", "query-gateway-1", "query-gateway-2"), gateways, strict=True):
        # Debian's nginx does not resolve a name again, nor need it here.
        assert f"{name}:8000 resolve " in upstream
        upstream = upstream.replace(f"{name}:8000 resolve ", f"{gateway} ")
    assert "live:8003 resolve " in upstream
    return upstream.replace("live:8003 resolve ", f"{live} ")


def _listens(process: psutil.Popen, port: int, errors: Path) -> bool:
    assert process.poll() is None, errors.read_text()
    return ports.answers(port)


def _make_certificate(home: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (home / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (home / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
