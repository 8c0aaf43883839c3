"""Requests of a search: defaults, bounds, and no liberty with types."""

from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from gateway.http.fields import StrictSerializer, checked
from gateway.search.serializers import (
    MAX_CURSOR_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_NAMES,
    MAX_QUERY_CHARACTERS,
    CompleteSerializer,
    FieldsSerializer,
    SearchSerializer,
    TranslateSerializer,
)


def _read(body: Any, serializer: type[StrictSerializer] = SearchSerializer) -> StrictSerializer:
    return serializer(data=body)


def _complaints(body: Any, serializer: type[StrictSerializer] = SearchSerializer) -> Any:
    reader = _read(body, serializer)
    assert not reader.is_valid()
    return reader.errors


def test_a_query_is_enough() -> None:
    assert checked(SearchSerializer, {"query": ""}) == {
        "query": "",
        "size": 50,
        "page": 1,
        "sort": (),
        "fields": None,
        "cursor": None,
        "case_insensitive": False,
        "explain": False,
        "ids": False,
    }


def test_every_member_is_kept_as_it_was_sent() -> None:
    body = {
        "query": "  Hostname = a  ",
        "index": "devices",
        "size": 1000,
        "page": 10,
        "sort": ["-LastSeen", "Hostname"],
        "fields": ["Hostname"],
        "cursor": None,
        "case_insensitive": True,
        "explain": True,
        "ids": True,
    }
    serializer = _read(body)
    assert serializer.is_valid()
    assert serializer.validated_data == body


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("query", None),
        ("query", 1),
        ("query", True),
        ("query", ["a"]),
        ("query", {"match_all": {}}),
        ("query", "a\0b"),
        ("index", ""),
        ("index", None),
        ("index", "d" * 256),
        ("index", ["devices"]),
        ("size", "50"),
        ("size", 50.0),
        ("size", True),
        ("size", -1),
        ("size", 1001),
        ("size", None),
        ("page", 0),
        ("page", "1"),
        ("page", 2**70),
        ("sort", "Hostname"),
        ("sort", [1]),
        ("sort", [""]),
        ("sort", [None]),
        ("sort", {"Hostname": "asc"}),
        ("sort", ["a"] * (MAX_NAMES + 1)),
        ("sort", ["a" * (MAX_NAME_CHARACTERS + 1)]),
        ("fields", "Hostname"),
        ("fields", []),
        ("fields", [["Hostname"]]),
        ("cursor", ""),
        ("cursor", 1),
        ("cursor", "c" * (MAX_CURSOR_CHARACTERS + 1)),
        ("case_insensitive", "true"),
        ("case_insensitive", 1),
        ("case_insensitive", None),
        ("explain", "yes"),
        ("ids", 1),
        ("aggs", {}),
    ],
)
def test_a_member_that_breaks_the_contract_is_named(member: str, value: Any) -> None:
    assert list(_complaints({"query": "", member: value})) == [member]


@pytest.mark.parametrize("body", [None, [], "query", 1, [{"query": ""}]])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(ValidationError, match="The body must be a JSON object"):
        checked(SearchSerializer, body)


def test_a_missing_query_is_named() -> None:
    assert list(_complaints({"size": 1})) == ["query"]


def test_an_unknown_member_is_answered_with_the_known_ones() -> None:
    assert "query, index, case_insensitive, sort, fields, size, page" in str(
        _complaints({"query": "", "offset": 1})["offset"]
    )


@pytest.mark.parametrize(("size", "page"), [(1000, 10), (1, 10_000), (0, 1_000_000), (3, 3333)])
def test_pages_reach_ten_thousand_results(size: int, page: int) -> None:
    assert _read({"query": "", "size": size, "page": page}).is_valid()


@pytest.mark.parametrize(("size", "page"), [(1000, 11), (1, 10_001), (3, 3334)])
def test_a_page_beyond_them_is_refused_and_pointed_to_cursors(size: int, page: int) -> None:
    assert "cursor" in str(_complaints({"query": "", "size": size, "page": page})["page"])


@pytest.mark.parametrize(("member", "value"), [("page", 2), ("size", 0)])
def test_a_cursor_goes_with_no_page_and_no_empty_ones(member: str, value: int) -> None:
    assert list(_complaints({"query": "", "cursor": "start", member: value})) == [member]


@pytest.mark.parametrize(
    ("serializer", "body", "expected"),
    [
        (FieldsSerializer, {}, {}),
        (TranslateSerializer, {"query": ""}, {"query": "", "case_insensitive": False}),
        (CompleteSerializer, {"query": " a", "cursor": 2}, {"query": " a", "cursor": 2}),
    ],
)
def test_members_left_out_of_the_other_requests_have_a_default(
    serializer: type[StrictSerializer], body: Any, expected: Any
) -> None:
    assert checked(serializer, body) == expected


@pytest.mark.parametrize(
    ("serializer", "member", "value"),
    [
        (FieldsSerializer, "index", ""),
        (FieldsSerializer, "index", ["devices", "devices"]),
        (FieldsSerializer, "indices", "devices"),
        (TranslateSerializer, "query", None),
        (TranslateSerializer, "index", "d" * 256),
        (TranslateSerializer, "case_insensitive", "true"),
        (TranslateSerializer, "size", 1),
        (CompleteSerializer, "query", "x" * (MAX_QUERY_CHARACTERS + 1)),
        (CompleteSerializer, "query", ["a"]),
        (CompleteSerializer, "cursor", -1),
        (CompleteSerializer, "cursor", 2),
        (CompleteSerializer, "cursor", 1.0),
        (CompleteSerializer, "cursor", True),
        (CompleteSerializer, "cursor", "1"),
        (CompleteSerializer, "cursor", None),
        (CompleteSerializer, "cursor", 2**70),
        (CompleteSerializer, "case_insensitive", True),
    ],
)
def test_the_other_requests_are_as_strict(serializer: type[StrictSerializer], member: str, value: Any) -> None:
    right: dict[type[StrictSerializer], dict[str, Any]] = {
        FieldsSerializer: {},
        TranslateSerializer: {"query": "a"},
        CompleteSerializer: {"query": "a", "cursor": 1},
    }
    assert list(_complaints({**right[serializer], member: value}, serializer)) == [member]


def test_a_cursor_is_counted_in_characters_whatever_their_bytes() -> None:
    assert _read({"query": "Şehir = 🙂", "cursor": 9}, CompleteSerializer).is_valid()
    assert list(_complaints({"query": "Şehir = 🙂", "cursor": 10}, CompleteSerializer)) == ["cursor"]


def test_a_completion_needs_its_cursor() -> None:
    assert list(_complaints({"query": ""}, CompleteSerializer)) == ["cursor"]
