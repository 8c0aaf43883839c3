"""Ports are found free, seen in use, and seen to answer."""

import socket

from local import ports


def test_free_ports_are_different_and_nothing_listens_on_them() -> None:
    found = ports.free(5)
    assert len(set(found)) == 5
    assert not any(ports.in_use(port) or ports.answers(port) for port in found)


def test_no_outgoing_connection_takes_a_free_port_and_it_is_not_found_again_at_once() -> None:
    found = ports.free(100)
    assert max(found) < 32_768
    assert not {*found} & {*ports.free(100)}


def test_a_listening_port_is_in_use_and_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ports.in_use(port)
        assert ports.answers(port)
