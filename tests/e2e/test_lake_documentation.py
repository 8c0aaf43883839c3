"""docs/lake.md, followed on the running stack: from a search to a report, and to one person's erasure with its proof."""

import re

import pytest

from local.services import Services
from tests.e2e.shell import commands, run
from tests.support.paths import ROOT

_PAGE = (ROOT / "docs/lake.md").read_text(encoding="utf-8")
_SECTIONS: dict[str, str] = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL))


def _run(command: str, services: Services) -> str:
    result = run(command, services, **services.environment())
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


def _command(section: str, *marks: str) -> str:
    return next(command for command in commands(_SECTIONS[section]) if all(mark in command for mark in marks))


@pytest.mark.parametrize("section", ["Marts", "Jobs"])
def test_every_command_of_a_job_succeeds(section: str, services: Services) -> None:
    for command in commands(_SECTIONS[section]):
        _run(command, services)
