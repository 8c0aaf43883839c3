"""Ports are found free, seen in use, and seen to answer."""

import socket

from local import ports


def test_free_ports_are_different_and_nothing_listens_on_them() -> None:
    found = ports.free(5)
    assert len(set(found)) == 5
    assert not any(ports.in_use(port) or ports.answers(port) for port in found)


def test_a_listening_port_is_in_use_and_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ports.in_use(port)
        assert ports.answers(port)
