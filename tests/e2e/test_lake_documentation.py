"""docs/lake.md, followed on the running stack: from a search to a report, and to an erasure with its proof."""

import re

import pytest
from elasticsearch import Elasticsearch

from local.services import Services
from tests.e2e.shell import commands, run
from tests.support.paths import ROOT
from tests.support.waiting import eventually

_PAGE = (ROOT / "docs/lake.md").read_text(encoding="utf-8")
_SECTIONS: dict[str, str] = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL))


def _run(command: str, services: Services) -> str:
    result = run(command, services, **services.environment())
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


def _command(section: str, *marks: str) -> str:
    return next(command for command in commands(_SECTIONS[section]) if all(mark in command for mark in marks))


@pytest.fixture(scope="module", name="searched")
def fixture_searched(services: Services) -> None:
    """The page's two searches, once they are in the lake."""
    _run(commands(_SECTIONS["Who searched what last week"])[0], services)
    eventually(lambda: _searches(services) >= 2, "the searches are in the lake")


def _searches(services: Services) -> int:
    """How many searches of the page's shape the report has."""
    report = _run(_command("Who searched what last week", "--csv").splitlines()[-1], services)
    counts = re.findall(r"^devices,Site = \? AND OS\.Type = \?,(\d+),", report, re.MULTILINE)
    return int(counts[0]) if counts else 0


def test_the_report_adds_up_searches_of_one_shape_without_names(services: Services, searched: None) -> None:
    del searched
    report = _run(_command("Who searched what last week", "lake report\n"), services)
    assert "Site = ? AND OS.Type = ?" in report
    assert "octoAdmin" not in report


def test_names_are_shown_to_an_auditor_once_that_is_on_the_trail(services: Services, searched: None) -> None:
    del searched
    report = _run(_command("Who searched what last week", "--names"), services)
    assert "octoAdmin" in report
    with Elasticsearch(services.servers.elasticsearch.url) as client:

        def looks() -> int:
            looked = {"match_phrase": {"sluice.query.text": "report with names"}}
            return int(client.count(index="query-logs-*", query=looked, ignore_unavailable=True)["count"])

        eventually(lambda: looks() >= 1, "the look is on the audit trail")


def test_an_analyst_asks_by_sql(services: Services, searched: None) -> None:
    del searched
    assert "Site = ? AND OS.Type = ?" in _run(commands(_SECTIONS["SQL"])[0], services)


def test_every_offset_is_found_in_one_place(services: Services, searched: None) -> None:
    del searched
    [command] = commands(_SECTIONS["Is it complete?"])
    printed = run(command, services, **services.environment()).stdout
    # The cluster may have documents of other tests' topics, so that days may differ.
    differences = [line for line in printed.split("\n\n")[-1].splitlines() if "and Elasticsearch" not in line]
    assert differences in ([], ["nothing differs"]), printed


@pytest.mark.parametrize("section", ["Marts", "Jobs", "What is added to an event", "Scores"])
def test_every_command_of_a_job_succeeds(section: str, services: Services, searched: None) -> None:
    del searched
    for command in commands(_SECTIONS[section]):
        _run(command, services)


def test_a_person_is_erased_and_the_proof_finds_nothing(services: Services, searched: None) -> None:
    del searched
    made, count, erase = commands(_SECTIONS["One person's erasure"])
    _run(made, services)

    def records() -> int:
        return int(re.findall(r"^found (\d+) records", _run(count, services), re.MULTILINE)[0])

    eventually(lambda: records() >= 1, "the person's search is in the lake")
    printed = _run(erase, services)
    assert re.search(r"^erased [1-9]\d* records, and the name in \d+ of others\nhits 0$", printed, re.MULTILINE), (
        printed
    )
    assert records() == 0
    assert "did 0 erasures again" in _run(commands(_SECTIONS["Backups"])[0], services)
    before = _searches(services)
    _run(commands(_SECTIONS["Who searched what last week"])[0], services)
    eventually(lambda: _searches(services) >= before + 2, "the lake is written again")
