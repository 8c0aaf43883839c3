"""docs/inventory.md's tutorials, followed on the running stack."""

import re
import subprocess

import orjson
import pytest

from local.services import Services
from tests.e2e.shell import commands, run
from tests.support.paths import ROOT
from tests.support.waiting import eventually

_PAGE = (ROOT / "docs/inventory.md").read_text(encoding="utf-8")
_SECTIONS: dict[str, str] = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL))


def _follow(section: str, services: Services) -> list[subprocess.CompletedProcess[str]]:
    results = [
        run(command.replace("curl -s", "curl -sS --fail-with-body"), services)
        for command in commands(_SECTIONS[section])
    ]
    assert [(each.returncode, each.stderr) for each in results] == [(0, "")] * len(results), results
    return results


def test_an_empty_database_becomes_a_public_catalogue(services: Services) -> None:
    _, imported, read, patched, history, _ = _follow("A public catalogue", services)
    assert orjson.loads(imported.stdout.splitlines()[-1])["summary"]["created"] == 2
    head, _, body = read.stdout.partition("\n\n")
    assert 'etag: "1"' in head.lower()
    assert "cache-control: private, no-cache" in head.lower()
    assert orjson.loads(body) == {"sku": "H-1", "name": "Hammer", "price": 10.5, "brand": "Acme"}
    assert orjson.loads(patched.stdout)["price"] == 12
    versions = orjson.loads(history.stdout)["versions"]
    assert [(each["op"], each["actor"], each["changed"]) for each in versions] == [
        ("patch", "octoOperator", ["/price"]),
        ("create", "octoOperator", [""]),
    ]

    def reads_are_reported() -> bool:
        report = orjson.loads(run(commands(_SECTIONS["A public catalogue"])[-1], services).stdout)
        return any(each["id"] == "H-1" and each["reads"] >= 1 for each in report["items"])

    eventually(reads_are_reported, "the sink has indexed the read")
    (found,) = _follow("Finding what was written", services)
    assert [each["price"] for each in orjson.loads(found.stdout)["results"]] == [13]


def test_a_tree_is_written_below_its_plan(services: Services) -> None:
    *imports, listed, _ = _follow("A tree of documents", services)
    assert [orjson.loads(each.stdout.splitlines()[-1])["summary"]["created"] for each in imports] == [1, 1, 1]
    (child,) = orjson.loads(listed.stdout)["results"]
    assert (child["id"], child["document"]) == ("silver-check-up", {"service": "check-up", "copay": 10})

    def plan_is_found() -> bool:
        found = orjson.loads(run(commands(_SECTIONS["A tree of documents"])[-1], services).stdout)
        return [each["name"] for each in found["results"]] == ["Silver"]

    eventually(plan_is_found, "the plan is found by its child")


def test_a_file_is_imported(services: Services) -> None:
    (imported,) = _follow("Imports", services)
    assert imported.stdout == "lines 1, created 1, replaced 0, unchanged 0, deleted 0, failed 0\n"


@pytest.mark.parametrize("member", ["_id", "_parent", "_version", "_deleted"])
def test_each_member_about_a_document_has_a_row(member: str) -> None:
    assert f"| `{member}` |" in _SECTIONS["Imports"]
