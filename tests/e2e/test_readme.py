"""The README's commands do what it says they do."""

import re

from local.services import Services
from tests.e2e.shell import commands, run
from tests.support.paths import ROOT

_README = (ROOT / "README.md").read_text(encoding="utf-8")

_COMMANDS = commands(_README)
_TRANSCRIPTS: list[tuple[str, str]] = re.findall(r"```console\n\$ ([^\n]*)\n(.*?)```", _README, re.DOTALL)


def _command(*marks: str) -> str:
    return next(command for command in _COMMANDS if all(mark in command for mark in marks))


def test_every_command_of_the_readme_succeeds(services: Services) -> None:
    assert len(_COMMANDS) == 6
    for command in _COMMANDS:
        result = run(command, services)
        assert result.returncode == 0, (command, result.stderr)


def test_the_first_query_finds_the_device_of_that_name(services: Services) -> None:
    result = run(_command("curl", "NOT OS.Type"), services)
    assert '"Hostname":"octoxlabs' in result.stdout.replace(" ", "")


def test_the_second_query_is_rejected_with_its_caret(services: Services) -> None:
    result = run(_command("curl", "Hostnme"), services)
    assert '"code":"unknown_field"' in result.stdout.replace(" ", "")
    assert r"Hostnme = octoxlabs*\n^^^^^^^" in result.stdout


def test_the_topic_shows_what_was_asked(services: Services) -> None:
    run(_command("curl", "NOT OS.Type"), services)
    result = run(_command("kcat"), services)
    assert '"event_type":"query.executed"' in result.stdout
    assert "NOT OS.Type in (Windows, macOS)" in result.stdout


def test_the_transcripts_are_what_the_commands_print(services: Services) -> None:
    assert _TRANSCRIPTS
    for command, printed in _TRANSCRIPTS:
        result = run(command, services)
        assert result.stdout + result.stderr == printed
