"""docs/api.md has every endpoint of the gateway, each with a command that works."""

import re
from typing import Any

import orjson
import pytest

from gateway.urls import urlpatterns
from local.services import Services
from tests.e2e.shell import ROOT, commands, run

_PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
_SECTIONS: dict[str, str] = dict(
    re.findall(r"^## `(?:GET|POST|DELETE) /(.*?)`\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL)
)


def _answer(path: str, services: Services) -> Any:
    (command,) = commands(_SECTIONS[path])
    return orjson.loads(run(command, services).stdout)


def test_every_endpoint_has_one_command_and_nothing_else_has() -> None:
    routes = [re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)) for pattern in urlpatterns]
    assert list(_SECTIONS) == routes
    for path, section in _SECTIONS.items():
        (command,) = commands(section)
        assert re.search(rf"http://127\.0\.0\.1:8000/{re.sub('{.*?}', '[^/ ]+', path)}(?![\w/])", command)


def test_every_command_is_answered_with_success(
    services: Services, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", api_key)
    for command in commands(_PAGE):
        result = run(command.replace("curl -s", "curl -sS --fail-with-body"), services)
        assert result.returncode == 0, (command, result.stdout, result.stderr)


def test_the_search_finds_the_named_devices(services: Services) -> None:
    answer = _answer("search", services)
    assert answer["count"] == 12
    assert all(set(result) == {"Hostname", "Ip"} for result in answer["results"])


def test_the_fields_are_those_of_the_index(services: Services) -> None:
    assert "Hostname" in [field["name"] for field in _answer("fields", services)["fields"]]


def test_the_completion_offers_a_value_of_the_index(services: Services) -> None:
    answer = _answer("complete", services)
    assert [suggestion["text"] for suggestion in answer["suggestions"]] == ["ankara"]
    assert (answer["start"], answer["end"], answer["values_of"]) == (7, 9, "Site")


def test_the_translation_names_its_fields(services: Services) -> None:
    assert _answer("translate", services)["fields"] == ["Site", "Ip"]
