"""Hostile clients: frames of every wrong kind, floods, and clients that take nothing."""

import os
import socket
import struct
from base64 import b64encode
from contextlib import ExitStack, suppress
from typing import Self
from urllib.parse import urlsplit

import psutil
import pytest

from tests.integration.gateway.live.conftest import AUDITOR, AYSE, Stack
from tests.support.live import NOTIFICATIONS, TAIL, VERSION
from tests.support.waiting import eventually

_CONTINUATION, _TEXT, _CLOSE, _PING = 0, 1, 8, 9


class _Raw:
    """A socket whose client does as it likes."""

    def __init__(self, stack: Stack, path: str, token: str) -> None:
        url = urlsplit(stack.live.url)
        self.socket = socket.socket()
        # So small that the kernel takes little in the client's place.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(30)
        self.socket.connect((url.hostname, url.port))
        key = b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {VERSION}\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.socket.recv(1)
        assert received.startswith(b"HTTP/1.1 101 "), received

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, opcode: int, payload: bytes = b"", *, fin: bool = True) -> None:
        """Send a frame (RFC 6455, section 5.2), masked with zeros."""
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + struct.pack("!H", length)
        self.socket.sendall(bytes([opcode | (0x80 if fin else 0)]) + size + bytes(4) + payload)

    def close_code(self) -> int | None:
        """Read to the end; the code of the close frame."""
        received = b""
        with suppress(ConnectionError):
            while part := self.socket.recv(65_536):
                received += part
        code = None
        while len(received) >= 2:
            opcode, length, start = received[0] & 0x0F, received[1], 2
            if length == 126:
                length, start = struct.unpack("!H", received[2:4])[0], 4
            if opcode == _CLOSE and length >= 2:
                code = struct.unpack("!H", received[start : start + 2])[0]
            received = received[start + length :]
        return code


@pytest.mark.parametrize("path", [NOTIFICATIONS, TAIL])
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 4_000, ""),
        ("null", ""),
        ("{}", ""),
        ('{"v": 1}', ""),
        ('{"v": 2, "type": "since", "id": 1}', ""),
        ('{"v": 1, "type": "nonsense"}', ""),
        ('{"v": 1, "type": "since", "id": -1}', ""),
        ('{"v": 1, "type": "since", "id": "1"}', ""),
        ('{"v": 1, "type": "since", "id": 9007199254740993}', ""),
        ('{"v": 1, "type": "since", "id": 1, "more": 1}', ""),
        ('{"v": 1, "type": "more", "frames": 5}', ""),
        ('{"v": 1, "type": "tail", "from": {"x": 1}}', ""),
        ('{"v": 1, "type": "tail", "filter": {"query": "x"}}', ""),
        ('{"v": 1, "type": "tail", "filter": {"text": ""}}', ""),
    ],
)
def test_a_frame_of_another_form_ends_the_socket_and_says_so(stack: Stack, path: str, text: str, where: str) -> None:
    with stack.socket(path, AUDITOR) as client:
        client.expect("hello")
        client.connection.send(text)
        code, farewell = client.end()
    assert code == 1008
    assert farewell is not None
    assert (farewell["code"], farewell["retry_after"]) == ("malformed", None)
    assert where in farewell["detail"]


def test_binary_frames_long_frames_and_many_frames_end_the_socket(stack: Stack) -> None:
    with stack.socket(NOTIFICATIONS) as client:
        client.connection.send(b'{"v": 1, "type": "ack", "id": 1}')
        assert client.end()[0] == 1008
    with stack.socket(NOTIFICATIONS) as client:
        client.connection.send("x" * 4_096)
        assert client.end()[0] == 1008
    with stack.socket(NOTIFICATIONS) as client:
        client.connection.send("x" * 4_097)
        assert client.end()[0] == 1009
    with stack.socket(NOTIFICATIONS) as client:
        for number in range(30):
            with suppress(Exception):
                client.send("ack", id=number)
        code, farewell = client.end()
        assert code == 1008
        assert farewell is not None
        assert farewell["code"] == "throttled"


def test_floods_of_pings_and_of_empty_fragments_end_the_socket(stack: Stack) -> None:
    token = stack.token(AYSE)
    with _Raw(stack, NOTIFICATIONS, token) as raw:
        with suppress(ConnectionError):
            for _ in range(2_000):
                raw.send(_PING, b"x" * 125)
        assert raw.close_code() in (1008, None)
    with _Raw(stack, NOTIFICATIONS, token) as raw:
        raw.send(_TEXT, b"{", fin=False)
        with suppress(ConnectionError):
            for _ in range(2_000):
                raw.send(_CONTINUATION, b"", fin=False)
        assert raw.close_code() in (1009, None)
    with _Raw(stack, NOTIFICATIONS, token) as raw:
        raw.send(_TEXT, b"\xff\xfe")
        assert raw.close_code() == 1007
    with _Raw(stack, NOTIFICATIONS, token) as raw:
        raw.socket.sendall(b"\xff" * 64)
        assert raw.close_code() == 1002
    # The process has not noticed.
    with stack.socket(NOTIFICATIONS) as client:
        client.expect("hello")


def test_a_connection_that_does_not_become_a_socket_is_dropped(stack: Stack) -> None:
    url = urlsplit(stack.live.url)
    with socket.create_connection((url.hostname, url.port), 30) as silent:
        silent.sendall(b"GET /ws/tail HTTP/1.1\r\nHost: ")
        assert silent.recv(1) == b""


def _read_all(stack: Stack, user: str) -> None:
    """Read an inbox as a client does, so that what is loaded once is loaded."""
    with stack.socket(NOTIFICATIONS, user) as client:
        last, number = client.expect("hello")["last"], 0
        while number < last:
            client.send("since", id=number)
            while number < last and (frame := client.read())["type"] == "notifications":
                number = frame["items"][-1]["number"]


def test_a_client_that_takes_nothing_costs_at_most_a_mebibyte(stack: Stack) -> None:
    for user in (AYSE, AUDITOR):
        stack.tell(200, user=user, begin=50_000, length=8_000)
        _read_all(stack, user)
    process = psutil.Process(stack.live.process.pid)
    before = most = process.memory_info().rss
    ended = 'gateway_live_ended_total{code="slow"}'
    begun = stack.live.metric(ended)
    with ExitStack() as opened:
        for token in (stack.token(AYSE), stack.token(AUDITOR)):
            for _ in range(7):
                raw = opened.enter_context(_Raw(stack, NOTIFICATIONS, token))
                raw.send(_TEXT, b'{"v":1,"type":"since","id":0}')

        def are_given_up() -> bool:
            nonlocal most
            most = max(most, process.memory_info().rss)
            return stack.live.metric(ended) >= begun + 14

        # Until then they cost the most.
        eventually(are_given_up, "they are given up")
    assert (most - before) / 14 <= 1024 * 1024
