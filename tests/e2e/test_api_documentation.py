"""docs/api.md has every endpoint of the gateway, each with a command that works."""

import re
from typing import Any

import orjson
import pytest
from django.urls import URLPattern

from gateway.urls import urlpatterns
from local import demo
from local.services import Services
from tests.e2e.shell import commands, run
from tests.support.paths import ROOT

_PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
_SECTIONS: dict[str, str] = dict(
    re.findall(r"^## `((?:GET|POST|PUT|PATCH|DELETE) /.*?)`\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL)
)


def _answer(endpoint: str, services: Services) -> Any:
    return orjson.loads(run(commands(_SECTIONS[endpoint])[0], services).stdout)


def test_every_endpoint_has_a_command_and_nothing_else_has() -> None:
    routes = [
        re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        for pattern in urlpatterns
        if isinstance(pattern, URLPattern)
    ]
    paths = {endpoint: endpoint.partition(" /")[2] for endpoint in _SECTIONS}
    assert list(dict.fromkeys(paths.values())) == routes
    for endpoint, path in paths.items():
        assert commands(_SECTIONS[endpoint])
        for command in commands(_SECTIONS[endpoint]):
            assert re.search(rf"\$SLUICE/{re.sub('{.*?}', '[^/ ]+', path)}(?![\w/])", command)


def test_every_command_is_answered_with_success(
    services: Services, api_key: str, delivery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", api_key)
    monkeypatch.setenv("DELIVERY", delivery)
    # The auditor's search needs an audit trail.
    demo.find_document(services, demo.search(services)["query_id"])
    for command in commands(_PAGE):
        result = run(command.replace("curl -s", "curl -sS --fail-with-body"), services)
        assert result.returncode == 0, (command, result.stdout, result.stderr)


def test_the_search_finds_the_named_devices(services: Services) -> None:
    answer = _answer("POST /search", services)
    assert answer["count"] == 12
    assert all(set(result) == {"Hostname", "Ip"} for result in answer["results"])


def test_the_search_in_the_query_string_finds_them_too(services: Services) -> None:
    assert _answer("GET /search", services)["results"] == [{"Hostname": f"octoxlabs{12 - n}"} for n in range(3)]


def test_the_stream_has_a_line_a_device(services: Services) -> None:
    lines = run(commands(_SECTIONS["GET /search"])[1], services).stdout.splitlines()
    assert [orjson.loads(line) for line in lines] == [{"Hostname": f"octoxlabs{n:02}"} for n in range(1, 13)]


def test_a_search_can_be_had_as_csv(services: Services) -> None:
    lines = run(commands(_SECTIONS["GET /search"])[2], services).stdout.splitlines()
    assert lines[0] == "Hostname,OS.Type,Ip"
    assert len(lines) == 13
    assert re.fullmatch(r'octoxlabs01,\w+,"\[""10\.20\.0\.1""\]"', lines[1])


def test_the_auditor_reads_what_the_searcher_asked(services: Services) -> None:
    demo.find_document(services, demo.search(services)["query_id"])
    found = orjson.loads(run(commands(_SECTIONS["POST /search"])[1], services).stdout)
    assert [result["user"]["name"] for result in found["results"]] == ["octoAdmin"]


def test_each_role_has_a_demo_user(services: Services) -> None:
    roles = [orjson.loads(run(command, services).stdout) for command in commands(_SECTIONS["GET /auth/me"])]
    assert [(role["username"], role["role"]) for role in roles] == [
        ("octoAdmin", "searcher"),
        ("octoOperator", "admin"),
    ]


def test_the_fields_are_those_of_the_index(services: Services) -> None:
    assert "Hostname" in [field["name"] for field in _answer("GET /fields", services)["fields"]]


def test_the_completion_offers_a_value_of_the_index(services: Services) -> None:
    answer = _answer("POST /complete", services)
    assert [suggestion["text"] for suggestion in answer["suggestions"]] == ["ankara"]
    assert (answer["start"], answer["end"], answer["values_of"]) == (7, 9, "Site")


def test_the_translation_names_its_fields(services: Services) -> None:
    assert _answer("POST /translate", services)["fields"] == ["Site", "Ip"]
