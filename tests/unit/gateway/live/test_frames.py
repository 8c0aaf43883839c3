"""Frames: what is read, what is refused, and how filters are written on the trail."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live import frames
from gateway.live.frames import Ack, Farewell, Filter, InvalidFrame, More, OpenTail, Since, TailPart


def test_the_frames_of_a_client_are_read() -> None:
    assert frames.read_of_notifications('{"v": 1, "type": "since", "id": 5}') == Since(1, 5)
    assert frames.read_of_notifications('{"v": 1, "type": "ack", "id": 0}') == Ack(1, 0)
    assert frames.read_of_tail('{"v": 1, "type": "more", "frames": 0}') == More(1, 0)
    opened = frames.read_of_tail('{"v": 1, "type": "tail", "filter": {"user": "ayse"}, "from": {"3": 12}}')
    assert opened == OpenTail(1, Filter(user="ayse"), {3: 12})


@given(st.text(max_size=200))
def test_any_other_text_is_refused_without_being_quoted(text: str) -> None:
    for read in (frames.read_of_notifications, frames.read_of_tail):
        with pytest.raises(InvalidFrame) as refused:
            read(orjson.dumps({"v": 1, "type": f"no-{text}"}).decode())
        assert len(text) < 4 or text not in str(refused.value)


def test_the_frames_of_the_server_are_json_with_a_version() -> None:
    part = TailPart([b'{"offset":1}', b'{"offset":2}'], 3, 4)
    assert orjson.loads(frames.tail(part, {0: 7}, opened=True)) == {
        "v": 1,
        "type": "tail",
        "events": [{"offset": 1}, {"offset": 2}],
        "filtered": 3,
        "left_out": 4,
        "at": {"0": 7},
        "opened": True,
    }
    assert orjson.loads(frames.hello("ayse", None)) == {"v": 1, "type": "hello", "user": "ayse"}
    assert orjson.loads(frames.notifications([b"{}"])) == {"v": 1, "type": "notifications", "items": [{}]}
    assert orjson.loads(frames.bye(Farewell.SLOW, "x", 1))["code"] == "slow"


@pytest.mark.parametrize(
    ("wanted", "query"),
    [
        (Filter(), ""),
        (Filter(user="ayse"), 'user.name = "ayse"'),
        (
            Filter(user='o"x', event_type="auth.failed", text="C:\\"),
            'user.name = "o\\"x" AND event.action = "auth.failed" AND sluice.query ~ "C:\\\\"',
        ),
    ],
)
def test_a_filter_is_on_the_trail_as_a_query(wanted: Filter, query: str) -> None:
    assert wanted.query() == query
