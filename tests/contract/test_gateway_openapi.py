"""The OpenAPI document says what the gateway does."""

import re
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import URLPattern
from drf_spectacular.validation import validate_schema

from gateway.http.problems import Code
from gateway.search.serializers import MAX_QUERY_CHARACTERS
from gateway.urls import urlpatterns
from kit import __version__
from translator.limits import MAX_CHARACTERS


def _read(content: bytes) -> Any:
    return yaml.load(content, yaml.CSafeLoader)


@pytest.fixture(scope="module")
def document() -> Any:
    """The document as a client gets it; it takes seconds to make and to read, and no test changes it."""
    response = Client().get("/schema/")
    assert response.status_code == 200
    return _read(response.content)


def test_it_is_openapi_3_1_and_valid(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    validate_schema(document)  # type: ignore[no-untyped-call]  # the library has no types here


def test_it_is_served_as_json_too(document: Any) -> None:
    assert Client().get("/schema/", headers={"Accept": "application/json"}).json() == document


def test_it_has_every_endpoint_and_no_other(document: Any) -> None:
    routes = {
        re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{pattern.pattern}")
        for pattern in urlpatterns
        if isinstance(pattern, URLPattern)
    }
    assert set(document["paths"]) == routes - {"/", "/docs/"}


@pytest.mark.parametrize("parameter", ["version=a%0d%0ab", "version=v9", "lang=xx", "format=xml"])
def test_it_is_the_same_whatever_the_query_string_says(parameter: str, document: Any) -> None:
    response = Client().get(f"/schema/?{parameter}")
    assert (response.status_code, _read(response.content)) == (200, document)


def test_a_client_that_accepts_neither_yaml_nor_json_gets_a_problem() -> None:
    response = Client().get("/schema/", headers={"Accept": "text/html"})
    assert (response.status_code, response["Content-Type"]) == (406, "application/problem+json")


def test_a_body_has_no_members_but_those_listed_unless_a_type_lists_them(document: Any) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                if media_type == "application/x-www-form-urlencoded":
                    continue  # whose unknown parameters OAuth ignores
                schema = content["schema"]
                if "$ref" in schema:
                    name = schema["$ref"].rpartition("/")[2]
                    assert document["components"]["schemas"][name]["additionalProperties"] is False
                else:
                    assert path.startswith("/inventory/")


def test_every_answer_has_its_headers(document: Any) -> None:
    responses = document["paths"]["/search"]["post"]["responses"]
    assert all("X-Request-ID" in response["headers"] for response in responses.values())
    for status, name in (("401", "WWW-Authenticate"), ("405", "Allow"), ("503", "Retry-After")):
        assert name in responses[status]["headers"]


def test_the_groups_are_named_and_described_for_people(document: Any) -> None:
    groups = {group["name"]: group["description"] for group in document["tags"]}
    assert len(groups) <= 9
    assert all(description.endswith(".") for description in groups.values())
    operations = {
        (path, method): described
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    }
    used = {group for described in operations.values() for group in described["tags"]}
    assert used == set(groups)
    assert not used & {path.split("/")[1] for path, _ in operations}


def test_every_operation_has_a_short_summary_of_its_own(document: Any) -> None:
    summaries = [each["summary"] for methods in document["paths"].values() for each in methods.values()]
    assert len(set(summaries)) == len(summaries)
    assert all(0 < len(summary) <= 60 and not summary.endswith(".") for summary in summaries)


def test_answers_carry_notices_in_the_body_or_a_header(document: Any) -> None:
    components = document["components"]
    for answer in ("SearchAnswer", "Translation"):
        assert "notices" in components["schemas"][answer]["required"]
    assert set(components["schemas"]["Notice"]["properties"]) == {"code", "message", "position", "end", "suggestion"}
    for method in ("get", "post"):
        assert "X-Query-Notices" in document["paths"]["/search"][method]["responses"]["200"]["headers"]


def test_a_search_has_the_members_of_the_contract(document: Any) -> None:
    members = {"query", "index", "size", "page", "sort", "fields", "cursor", "case_insensitive", "explain", "ids"}
    search = document["components"]["schemas"]["Search"]
    assert set(search["properties"]) == members
    assert search["required"] == ["query"]
    assert search["properties"]["size"]["maximum"] == 1000


@pytest.mark.parametrize(
    ("name", "members", "required"),
    [
        ("Translate", {"query", "index", "case_insensitive"}, ["query"]),
        ("Complete", {"query", "cursor", "index"}, ["query", "cursor"]),
    ],
)
def test_the_other_bodies_have_the_members_of_the_contract(
    name: str, members: set[str], required: list[str], document: Any
) -> None:
    body = document["components"]["schemas"][name]
    assert (set(body["properties"]), sorted(body["required"])) == (members, sorted(required))


def test_the_index_of_the_fields_is_optional_and_in_the_query_string(document: Any) -> None:
    (index,) = document["paths"]["/fields"]["get"]["parameters"]
    assert (index["name"], index["in"], index.get("required", False)) == ("index", "query", False)


@pytest.mark.parametrize(
    ("path", "method", "more"),
    [
        ("/search", "post", {"409", "413", "415"}),
        ("/search", "get", {"409", "414"}),
        ("/complete", "post", {"413", "415"}),
        ("/translate", "post", {"413", "415"}),
        ("/fields", "get", set()),
        ("/discoveries/last", "get", set()),
        ("/devices/devices", "post", {"409", "413", "415"}),
        ("/devices/devices/{hostname}", "post", {"413", "415"}),
    ],
)
def test_every_answer_is_described(path: str, method: str, more: set[str], document: Any) -> None:
    responses = document["paths"][path][method]["responses"]
    assert set(responses) == {"200", "400", "401", "403", "404", "405", "429", "500", "503"} | more
    for status, response in responses.items():
        success = (
            ["application/json", "text/csv", "application/x-ndjson"] if path == "/search" else ["application/json"]
        )
        assert list(response["content"]) == (success if status == "200" else ["application/problem+json"])


def test_every_problem_has_an_example_of_its_status(document: Any) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                problem = response.get("content", {}).get("application/problem+json")
                if problem is not None:
                    examples = [example["value"] for example in problem.get("examples", {}).values()]
                    assert {example["status"] for example in examples or [problem["example"]]} == {int(status)}


def test_the_codes_are_the_closed_list(document: Any) -> None:
    content = document["paths"]["/search"]["post"]["responses"]["400"]["content"]
    assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    problem = document["components"]["schemas"]["Problem"]
    assert problem["properties"]["code"]["enum"] == [code.value for code in Code]


@pytest.mark.parametrize("path", ["/search", "/complete", "/translate"])
def test_examples_show_a_query_an_answer_and_a_rejection(path: str, document: Any) -> None:
    post = document["paths"][path]["post"]
    assert post["requestBody"]["content"]["application/json"]["examples"]
    assert post["responses"]["200"]["content"]["application/json"]["examples"]
    assert post["responses"]["400"]["content"]["application/problem+json"]["examples"]


def test_a_query_to_complete_may_be_as_long_as_the_translator_takes_it(document: Any) -> None:
    query = document["components"]["schemas"]["Complete"]["properties"]["query"]
    assert query["maxLength"] == MAX_QUERY_CHARACTERS == MAX_CHARACTERS


def test_its_version_is_the_distribution_s(document: Any) -> None:
    assert document["info"]["version"] == __version__
