"""Lines of an import."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.problems import Problem
from gateway.inventory.declarations import DeclaredType
from gateway.inventory.import_lines import MAX_LINE_BYTES, csv_lines, ndjson_lines
from tests.support.inventory import TEXT, definition

_DECLARED = DeclaredType(
    "thing",
    1,
    definition(
        {
            "name": TEXT,
            "size": {"type": "integer"},
            "tags": {"type": "array", "items": TEXT},
            "place": {"$ref": "#/$defs/place"},
        }
    ),
)
_DECLARED.definition["schema"]["$defs"] = {
    "place": {"type": "object", "properties": {"city": {"type": ["string", "null"]}}, "additionalProperties": False}
}


def _cut(text: bytes, size: int) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _csv(text: str) -> list[Any]:
    return [
        orjson.loads(line.text) if line.problem is None else line.problem.detail
        for line in csv_lines(_cut(text.encode(), 7), _DECLARED)
    ]


@given(st.lists(st.binary(max_size=20).map(lambda text: text.replace(b"\n", b" ")), max_size=8), st.integers(1, 30))
def test_lines_are_the_same_wherever_the_body_is_cut(texts: list[bytes], size: int) -> None:
    found = [line.text for line in ndjson_lines(_cut(b"\n".join(texts), size))]
    assert found == [text for text in texts if text.strip()]


@pytest.mark.parametrize("size", [1_000, MAX_LINE_BYTES + 1, 10 * MAX_LINE_BYTES])
@pytest.mark.parametrize("after", [b"", b"\n", b'\n{"b": 1}'])
def test_a_line_that_is_too_long_fails_alone(size: int, after: bytes) -> None:
    body = b'{"a": 1}\n' + b"x" * (3 * MAX_LINE_BYTES) + after
    lines = list(ndjson_lines(_cut(body, size)))
    assert (lines[0].text, lines[1].text) == (b'{"a": 1}', b"")
    assert lines[1].problem is not None
    assert lines[1].problem.code == "too_large"
    assert [line.text for line in lines[2:]] == ([b'{"b": 1}'] if after.strip() else [])


def test_a_record_becomes_a_document_by_the_types_of_its_members() -> None:
    assert _csv('_id,name,size,tags,/place/city\nt1,"a, ""b""\nc",3,"[""x"",""y""]",05\nt2,7,,,\n') == [
        {"_id": "t1", "name": 'a, "b"\nc', "size": 3, "tags": ["x", "y"], "place": {"city": "05"}},
        {"_id": "t2", "name": "7"},
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_document() -> None:
    assert _csv("\ufeffname,size\r\na,1\r\n\r\nb,2\r\n") == [{"name": "a", "size": 1}, {"name": "b", "size": 2}]


def test_a_cell_may_be_as_long_as_a_document() -> None:
    text = "x" * 250_000
    assert _csv(f'name,size\n"{text}",1\n') == [{"name": text, "size": 1}]


@pytest.mark.parametrize("text", ['"' + '\n","' * MAX_LINE_BYTES, "name\n" + '"' + '\n","' * MAX_LINE_BYTES])
def test_a_record_that_goes_on_over_many_lines_has_an_end(text: str) -> None:
    read = 0

    def parts() -> Iterator[bytes]:
        nonlocal read
        for part in _cut(text.encode(), 1_000):
            read += len(part)
            yield part

    with pytest.raises(Problem) as refused:
        list(csv_lines(parts(), _DECLARED))
    assert refused.value.code == "too_large"
    assert read < 2 * MAX_LINE_BYTES


def test_an_empty_file_has_no_lines() -> None:
    assert _csv("") == _csv("name\n") == []


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        ("a,b,c", "3 cells, and the header 2"),
        ("a,three", "cell of size is no JSON"),
        ("a", "1 cells"),
        # The reader of JSON takes more levels than its writer.
        (f"a,{'[' * 255}{']' * 255}", "more than 32 levels"),
        ('a,"{""b"":1,""b"":2}"', "two members"),
    ],
)
def test_a_record_with_a_fault_fails_alone(record: str, detail: str) -> None:
    first, second = _csv(f"name,size\n{record}\nb,2\n")
    assert detail in first
    assert second == {"name": "b", "size": 2}


@pytest.mark.parametrize(
    "text",
    [
        "name,name\na,b\n",
        "name,\na,b\n",
        "name,colour\na,b\n",
        "name,/\na,b\n",
        'name\n"a\n',
        'name\n"a"b\n',
        "name\n\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        "x" * 200_000 + "\n",
    ],
)
def test_csv_with_a_fault_in_its_header_or_quotes_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        list(csv_lines([text.encode("latin-1")], _DECLARED))
    assert refused.value.status in (400, 413)
