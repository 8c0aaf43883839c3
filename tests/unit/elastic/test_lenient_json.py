"""Lenient reading of Elasticsearch's answers."""

from typing import Any

import pytest
from elasticsearch import SerializationError

from elastic.client import LenientSerializer


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (rb'{"a": "\ud83d\ude00"}', {"a": "\N{GRINNING FACE}"}),
        (rb'{"a": "x\ud83dy"}', {"a": "x\ufffdy"}),
        (rb'{"a": "\uDE00"}', {"a": "\ufffd"}),
        (rb'{"\uD83D": 1}', {"\ufffd": 1}),
        (rb'["\ud83d\ud83d\ude00"]', ["\ufffd\N{GRINNING FACE}"]),
        (rb'["\ud83d\ude00\ude00"]', ["\N{GRINNING FACE}\ufffd"]),
        (rb'["\\ud83d", "\\\ud83d", "\n\ud83d"]', [r"\ud83d", "\\\ufffd", "\n\ufffd"]),
        (b'["\xed\xa0\xbd"]', ["\ufffd\ufffd\ufffd"]),
        (b"", None),
    ],
)
def test_half_a_character_is_replaced_and_nothing_else(answer: bytes, read: Any) -> None:
    assert LenientSerializer().loads(answer) == read


@pytest.mark.parametrize("answer", [b"<html>", b'{"a": ', rb'{"a": "\ud83d"', b"[" * 2_000])
def test_text_that_is_no_json_is_refused(answer: bytes) -> None:
    with pytest.raises(SerializationError):
        LenientSerializer().loads(answer)
