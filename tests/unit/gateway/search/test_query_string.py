"""Requests in a query string."""

from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from gateway.http.problems import Problem
from gateway.http.query_string import read_parameters
from gateway.search.query_string import SearchParameters, StreamParameters
from gateway.search.serializers import SearchSerializer, StreamSerializer


def _request(query_string: str) -> Request:
    return Request(RequestFactory().get("/search", QUERY_STRING=query_string))


@pytest.mark.parametrize(
    ("query_string", "parameters"),
    [
        ("", {}),
        ("q=", {"q": ""}),
        ("q", {"q": ""}),
        ("q=a+%3D+b%2B&size=3", {"q": "a = b+", "size": "3"}),
        ("q=%C5%9Fehir", {"q": "şehir"}),
        # UTF-8 without escapes, a character a byte.
        ("q=\xc5\x9f", {"q": "ş"}),
        ("q=a;b&&x=", {"q": "a;b", "x": ""}),
    ],
)
def test_parameters_are_read_as_they_were_sent(query_string: str, parameters: dict[str, str]) -> None:
    assert read_parameters(_request(query_string)) == parameters


@pytest.mark.parametrize(
    ("query_string", "complaint"),
    [
        ("q=a&q=b", "q: The parameter is given twice."),
        ("q=%ff", "not in UTF-8"),
        ("%ff=a", "not in UTF-8"),
        ("q=%ed%a0%80", "not in UTF-8"),
        ("&".join(f"p{number}=" for number in range(21)), "more than 20 parameters"),
    ],
)
def test_parameters_that_cannot_be_read_are_malformed(query_string: str, complaint: str) -> None:
    with pytest.raises(Problem, match=complaint) as refused:
        read_parameters(_request(query_string))
    assert refused.value.status == 400


def test_values_have_the_types_that_they_have_in_a_body() -> None:
    reader = SearchParameters(
        data={
            "q": "  Hostname = a  ",
            "index": "devices",
            "size": "3",
            "page": "2",
            "sort": "-LastSeen,Hostname",
            "fields": "Hostname",
            "case_insensitive": "true",
            "explain": "false",
            "ids": "true",
        }
    )
    assert reader.is_valid(), reader.errors
    assert reader.validated_data == {
        "query": "  Hostname = a  ",
        "index": "devices",
        "size": 3,
        "page": 2,
        "sort": ["-LastSeen", "Hostname"],
        "fields": ["Hostname"],
        "cursor": None,
        "case_insensitive": True,
        "explain": False,
        "ids": True,
    }


@pytest.mark.parametrize(
    ("parameters", "body"), [(SearchParameters, SearchSerializer), (StreamParameters, StreamSerializer)]
)
def test_defaults_are_those_of_a_body(parameters: Any, body: Any) -> None:
    asked, the_same = parameters(data={"q": ""}), body(data={"query": ""})
    assert asked.is_valid()
    assert the_same.is_valid()
    assert asked.validated_data == the_same.validated_data


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("query", "a"),
        ("index", ""),
        ("size", ""),
        ("size", "-1"),
        ("size", "1001"),
        ("size", "3.0"),
        ("size", "+3"),
        ("size", "٣"),
        ("size", "9" * 5_000),
        ("page", "0"),
        ("page", "999999999"),
        ("sort", ""),
        ("sort", "Hostname,"),
        ("sort", "a," * 100 + "a"),
        ("fields", ""),
        ("case_insensitive", "1"),
        ("case_insensitive", "True"),
        ("explain", ""),
        ("cursor", ""),
        ("aggs", "{}"),
    ],
)
def test_a_parameter_that_breaks_the_contract_is_named(name: str, value: str) -> None:
    reader = SearchParameters(data={"q": "", name: value})
    assert not reader.is_valid()
    assert list(reader.errors) == [name]


def test_a_search_needs_its_query() -> None:
    reader = SearchParameters(data={})
    assert not reader.is_valid()
    assert list(reader.errors) == ["q"]
