"""Documents as CSV, where one looks like the end of the stream."""

from typing import Any

import orjson
import pytest

from gateway.search.csv_stream import documents_as_csv


@pytest.mark.parametrize("problem", ["none", {"code": "x"}, {"query_id": "another"}, None])
def test_a_document_of_one_member_that_is_called_problem_is_a_document(problem: Any) -> None:
    failure = {"code": "deadline", "query_id": "this"}
    parts = [orjson.dumps({"problem": each}) + b"\n" for each in (problem, failure)]
    header, row, end, _ = b"".join(documents_as_csv(parts, ["problem"], "this")).split(b"\r\n")
    assert header == b"problem"
    assert b'""problem""' not in row
    assert end == b'"' + orjson.dumps({"problem": failure}).replace(b'"', b'""') + b'"'
