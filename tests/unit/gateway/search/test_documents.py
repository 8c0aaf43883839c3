r"""Elasticsearch's answers, of which the documents are left as they are."""

from typing import Any

import orjson
import pytest

from gateway.search.documents import read_answer


def _read(*documents: bytes) -> Any:
    hits = b",".join(
        b'{"_index": "i", "_id": "d", "_source": %s, "sort": [1, "a"]}' % document for document in documents
    )
    return read_answer(b'{"took": 3, "hits": {"total": {"value": 1}, "hits": [%s]}}' % hits)


@pytest.mark.parametrize(
    "document", [b"{}", b'{"a": 1.0E5, "b": 123456789012345678901234567890}', '{"ä": "😀"}'.encode()]
)
def test_a_document_is_its_text_to_the_byte(document: bytes) -> None:
    assert _read(document) == {
        "took": 3,
        "hits": {"total": {"value": 1}, "hits": [{"_source": document, "sort": [1, "a"], "_id": "d"}]},
    }


@pytest.mark.parametrize(
    ("document", "read"),
    [
        (rb'{"a": "\ud83d"}', {"a": "\ufffd"}),
        (rb'{"a": "\ud83d\ude00\\ud83d"}', {"a": "\N{GRINNING FACE}\\ud83d"}),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
        ('{"ä": "'.encode() + b'\xed\xa0\xbd"}', {"ä": "\ufffd\ufffd\ufffd"}),
    ],
)
def test_half_a_character_in_a_document_is_replaced_and_the_others_are_as_they_were(document: bytes, read: Any) -> None:
    hits = _read(document, b'{"b":1}')["hits"]["hits"]
    assert orjson.loads(hits[0]["_source"]) == read
    assert hits[1]["_source"] == b'{"b":1}'


def test_an_answer_without_documents_is_read_as_any_other() -> None:
    for answer in (b'{"id": "pit"}', b"[1]", b'{"error": {"type": "x"}, "status": 400}', b'{"hits": 3}', b"null"):
        assert read_answer(answer) == orjson.loads(answer)


def test_a_hit_of_an_index_that_keeps_no_documents_is_an_empty_one() -> None:
    answer = read_answer(b'{"hits": {"hits": [{"_id": "1"}]}}')
    assert answer["hits"]["hits"] == [{"_source": b"{}", "sort": None, "_id": "1"}]


@pytest.mark.parametrize("answer", [b"<html>", b'{"hits": {"hits": [{"_source": {]}}', b'{"a": ' + b"[" * 100_000])
def test_text_that_is_no_json_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError):
        read_answer(answer)
