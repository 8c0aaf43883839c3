"""The OpenAPI document says what the gateway does."""

from typing import Any

import pytest
import yaml
from django.test import Client
from drf_spectacular.validation import validate_schema

from gateway import __version__
from gateway.problems import Code


@pytest.fixture
def document() -> Any:
    """The document as a client gets it."""
    response = Client().get("/schema/")
    assert response.status_code == 200
    return yaml.safe_load(response.content)


def test_it_is_openapi_3_1_and_valid(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    validate_schema(document)  # type: ignore[no-untyped-call]  # the library has no types here


def test_it_is_served_as_json_too(document: Any) -> None:
    assert Client().get("/schema/", headers={"Accept": "application/json"}).json() == document


def test_it_has_every_endpoint_and_no_other(document: Any) -> None:
    assert set(document["paths"]) == {"/search", "/healthz", "/readyz"}


def test_a_search_has_the_members_of_the_contract(document: Any) -> None:
    members = {"query", "index", "size", "page", "sort", "fields", "cursor", "case_insensitive", "explain"}
    search = document["components"]["schemas"]["Search"]
    assert set(search["properties"]) == members
    assert search["required"] == ["query"]
    assert search["properties"]["size"]["maximum"] == 1000


def test_every_answer_of_a_search_is_described(document: Any) -> None:
    responses = document["paths"]["/search"]["post"]["responses"]
    assert set(responses) == {"200", "400", "401", "403", "404", "405", "413", "415", "500", "503"}
    for status, response in responses.items():
        media_type = "application/json" if status == "200" else "application/problem+json"
        assert list(response["content"]) == [media_type]


def test_the_codes_are_the_closed_list(document: Any) -> None:
    problem = document["paths"]["/search"]["post"]["responses"]["400"]["content"]["application/problem+json"]["schema"]
    assert problem["properties"]["code"]["enum"] == [code.value for code in Code]


def test_examples_show_a_query_an_answer_and_a_rejection(document: Any) -> None:
    post = document["paths"]["/search"]["post"]
    assert post["requestBody"]["content"]["application/json"]["examples"]
    assert post["responses"]["200"]["content"]["application/json"]["examples"]
    assert post["responses"]["400"]["content"]["application/problem+json"]["examples"]


def test_its_version_is_the_distribution_s(document: Any) -> None:
    assert document["info"]["version"] == __version__
