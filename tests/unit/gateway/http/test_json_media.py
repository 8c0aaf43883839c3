"""JSON bodies: what is taken, and what is refused."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from gateway.http.endpoints import body_limit
from gateway.http.json_media import JSONParser, JSONRenderer, loads
from gateway.http.problems import Problem

_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=9)
_JSON = st.recursive(
    _SCALARS.filter(lambda value: value != float("inf") and value != float("-inf")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


def _parse(body: bytes, content_type: str = "application/json", **headers: str) -> Any:
    request = RequestFactory().post("/search", body, content_type=content_type, headers=headers)
    return Request(request, parsers=[JSONParser()]).data


@given(_JSON)
def test_the_parser_reads_all_that_the_renderer_writes(value: Any) -> None:
    assert loads(JSONRenderer().render(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_a_malformed_request(body: bytes) -> None:
    try:
        loads(body)
    except Problem as problem:
        assert problem.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'query': 1}",
        b'{"query": "a",}',
        b'{"query": NaN}',
        b'{"query": Infinity}',
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b'\xef\xbb\xbf{"query": "a"}',
        b'{"query": "a"} {"query": "b"}',
        b"[" * 100_000,
        b"[" * 1_000 + b"]" * 1_000,
        b'{"query": "a", "query": "b"}',
        b'{"query": "a", "qu\\u0065ry": "b"}',
        b'{"a": {"b": 1, "b": 1}}',
    ],
)
def test_text_that_is_not_strictly_json_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        _parse(body)
    assert refused.value.status == 400


def test_a_refused_duplicate_is_named() -> None:
    with pytest.raises(Problem, match='two members named "size"'):
        loads(b'{"size": 1, "query": "", "size": 1}')


def test_a_number_of_any_length_is_no_fault() -> None:
    try:
        assert loads(b'{"size": 1' + b"0" * 5_000 + b"}")
    except Problem as problem:
        assert problem.status == 400


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("text/plain", {}),
        ("application/x-www-form-urlencoded", {}),
        ("application/xml", {}),
        ("nonsense", {}),
        ("application/json; charset=utf-16", {}),
        ("application/json; charset=latin-1", {}),
        ("application/json", {"Content-Encoding": "gzip"}),
    ],
)
def test_a_body_of_another_type_or_encoding_is_an_unsupported_media_type(
    content_type: str, headers: dict[str, str]
) -> None:
    with pytest.raises(APIException) as refused:
        _parse(b'{"query": ""}', content_type, **headers)
    assert refused.value.status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", 'Application/JSON; charset="UTF-8"']
)
def test_json_in_utf_8_is_read_however_it_is_announced(content_type: str) -> None:
    assert _parse(b'{"query": "\xc3\xbc"}', content_type) == {"query": "ü"}


def test_a_body_up_to_the_limit_is_read_and_one_byte_more_is_too_large() -> None:
    frame = len(json.dumps({"query": ""}))
    fits = json.dumps({"query": "a" * (settings.MAX_BODY_BYTES - frame)}).encode()
    assert len(_parse(fits)["query"]) == settings.MAX_BODY_BYTES - frame
    with pytest.raises(Problem) as refused:
        _parse(fits + b" ")
    assert refused.value.status == 413


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b",".join([b"{}"] * 1_000) + b"]",
        b'{"query": "", "fields": [' + b",".join([b"1"] * 1_000) + b"]}",
        b"{" + b",".join(b'"%d": 1' % number for number in range(1_000)) + b"}",
        b'{"a":' * 200_000,
        b'"' + b'""' * 400_000,
    ],
    ids=["objects", "numbers", "members", "depth", "strings"],
)
def test_more_values_than_there_may_be_are_refused_before_they_are_made(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http.json_media.orjson.loads", lambda _: pytest.fail("the body was read"))
    with pytest.raises(Problem, match=r"more than 1,000 values"):
        loads(body)


def test_characters_in_a_text_are_no_value() -> None:
    text = '[{,:"\\' * 10_000
    assert loads(json.dumps({"query": text}).encode()) == {"query": text}


@pytest.mark.parametrize("levels", [17, 900])
def test_deeper_than_there_may_be_is_refused(levels: int) -> None:
    with pytest.raises(Problem, match="nested more than 16 levels"):
        loads(b'{"query": %s}' % (b"[" * levels + b"]" * levels))


@pytest.mark.parametrize(
    ("path", "limit"), [("/auth/token", 4_096), ("/api/token/token", 4_096), ("/search", 1_048_576)]
)
def test_a_body_is_as_long_as_its_endpoint_takes(path: str, limit: int) -> None:
    assert body_limit(path) == limit
