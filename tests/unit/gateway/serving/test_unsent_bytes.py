"""The kernel holds few bytes of an answer that its client does not read."""

import socket

from gateway.serving.unsent_bytes import MAX_UNSENT_BYTES, bound_unsent_bytes


def _bound(connection: socket.socket) -> int:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)


def test_connections_that_there_are_and_that_will_be_accepted_are_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), server.accept()[0] as before:
            bound_unsent_bytes(port)
            with socket.create_connection(("127.0.0.1", port)), server.accept()[0] as after:
                assert [_bound(each) for each in (before, after)] == [MAX_UNSENT_BYTES] * 2
        assert _bound(other) != MAX_UNSENT_BYTES
