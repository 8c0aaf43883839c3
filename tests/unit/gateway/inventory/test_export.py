"""Documents as CSV."""

from typing import Any

import orjson
import pytest

from gateway.inventory.declarations import DeclaredType
from gateway.inventory.export import columns_of, documents_as_csv, without_embedded
from gateway.inventory.import_lines import csv_lines
from tests.support.inventory import TEXT, definition

_PLACE = {"type": "object", "properties": {"city": TEXT, "zip/code": TEXT}, "additionalProperties": False}
_DECLARED = DeclaredType(
    "thing",
    1,
    definition({"name": TEXT, "size": {"type": "integer"}, "tags": {"type": "array", "items": TEXT}, "place": _PLACE}),
)
_DOCUMENTS: list[dict[str, Any]] = [
    {"name": 'a "quoted", name\nof two lines', "size": 3, "tags": ["x", "y"], "place": {"city": "İzmir"}},
    {"name": "05", "place": {"zip/code": "true"}},
    {"size": 0},
    {"name": "=HYPERLINK(A1)", "size": -1, "place": {"city": "'+1"}},
]


_QUERY = "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10"


def _parts(*documents: Any) -> list[bytes]:
    return [orjson.dumps(document) + b"\n" for document in documents]


def test_exported_documents_are_those_that_an_import_reads() -> None:
    written = documents_as_csv(_parts(*_DOCUMENTS), _DECLARED, columns_of(_DECLARED, None), _QUERY)
    assert [orjson.loads(line.text) for line in csv_lines(written, _DECLARED)] == _DOCUMENTS


def test_a_text_that_a_spreadsheet_would_take_for_a_formula_is_written_as_text() -> None:
    written = b"".join(documents_as_csv(_parts({"name": "=1+1", "size": -1}), _DECLARED, ["/name", "/size"], _QUERY))
    assert written == b"/name,/size\r\n'=1+1,-1\r\n"


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        (None, ["/name", "/size", "/tags", "/place/city", "/place/zip~1code"]),
        (["place", "name"], ["/place/city", "/place/zip~1code", "/name"]),
        (["place.city"], ["/place/city"]),
    ],
)
def test_columns_are_the_members_that_are_asked_for(fields: Any, columns: list[str]) -> None:
    assert columns_of(_DECLARED, fields) == columns


def test_a_failure_on_the_way_is_a_record_that_no_import_takes_for_a_document() -> None:
    parts = _parts({"name": "a"}, {"problem": {"code": "search_unavailable", "query_id": _QUERY}})
    *_, last = csv_lines(documents_as_csv(parts, _DECLARED, ["/name", "/size"], _QUERY), _DECLARED)
    assert last.problem is not None


def test_an_exported_document_is_without_those_that_its_type_embeds() -> None:
    declared = DeclaredType("box", 1, definition({"name": TEXT}, embed=["part"]))
    parts = _parts({"name": "a", "part": [{"name": "p"}]}, {"name": "b"}, {"problem": {"code": "search_unavailable"}})
    assert [orjson.loads(line) for line in b"".join(without_embedded(parts, declared)).splitlines()] == [
        {"name": "a"},
        {"name": "b"},
        {"problem": {"code": "search_unavailable"}},
    ]
