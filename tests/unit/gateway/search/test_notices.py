"""Notices in a header, which proxies on the way have to take."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.search.notices import MAX_HEADER_CHARACTERS, Notice, header_value


def _notice(message: str, suggestion: str | None = None) -> Notice:
    return {"code": "odd_character", "message": message, "position": 0, "end": 1, "suggestion": suggestion}


def _read(value: str) -> Any:
    return json.loads(value)


def test_without_a_notice_it_is_an_empty_list() -> None:
    assert header_value([]) == "[]"


@given(st.lists(st.builds(_notice, st.text(), st.none() | st.text(max_size=3_000)), max_size=10))
def test_it_is_a_bounded_line_of_ascii(notices: list[Notice]) -> None:
    value = header_value(notices)
    assert len(value) <= MAX_HEADER_CHARACTERS
    assert value.isascii() and value.isprintable()
    assert all(notice in notices for notice in _read(value))


def test_all_that_fit_are_there_in_their_order() -> None:
    notices = [_notice("“first”"), _notice("long", "x" * MAX_HEADER_CHARACTERS), _notice("last", "web\n")]
    assert _read(header_value(notices)) == [notices[0], notices[2]]
