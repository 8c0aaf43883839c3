"""Asking a sink for its metrics, over HTTP."""

import pytest

from indexing.members import Member, MemberUnreachable, addresses, ask
from local import ports
from tests.support.http_server import QuietHandler, serving


class _Sink(QuietHandler):
    """Answers as a sink's metrics port does."""

    body = (
        b'indexing_paused_partitions{consumer="audit-sink"} 6.0\n'
        b'indexing_oldest_unsettled_seconds{consumer="audit-sink"} 12.5\n'
    )

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """Answer one request."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)


class _SomethingElse(_Sink):
    """Answers, but is no sink."""

    body = b"<html>"


def test_a_sink_tells_what_is_paused_and_how_old_its_oldest_event_is() -> None:
    with serving(_Sink) as url:
        assert ask(url.removeprefix("http://"), "audit-sink") == Member(paused=6, oldest_seconds=12.5)


def test_where_nothing_listens_it_says_so() -> None:
    with pytest.raises(MemberUnreachable, match="nothing listens there"):
        ask(f"127.0.0.1:{ports.free(1)[0]}", "audit-sink")


def test_where_something_else_answers_it_says_so() -> None:
    with serving(_SomethingElse) as url, pytest.raises(MemberUnreachable, match="not that of audit-sink"):
        ask(url.removeprefix("http://"), "audit-sink")


def test_a_name_stands_for_all_of_its_addresses() -> None:
    assert "127.0.0.1:9108" in addresses("localhost", 9108)
    assert addresses("::1", 9108) == ["[::1]:9108"]


@pytest.mark.parametrize("name", ["no-such-host.invalid", "x" * 100, "a..b"])
def test_an_unknown_name_is_told(name: str) -> None:
    with pytest.raises(MemberUnreachable):
        addresses(name, 9108)
