"""The README's commands do what it says they do."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.services import Services

_ROOT = Path(__file__).parents[2]
_README = (_ROOT / "README.md").read_text(encoding="utf-8")

_COMMANDS: list[str] = re.findall(r"```sh\n(.*?)```", _README, re.DOTALL)
_TRANSCRIPTS: list[tuple[str, str]] = re.findall(r"```console\n\$ ([^\n]*)\n(.*?)```", _README, re.DOTALL)


def _run(command: str, services: Services) -> subprocess.CompletedProcess[str]:
    tool = command.split()[0]
    # A machine with Python and make alone may lack curl and kcat; the CI's must not.
    if shutil.which(tool, path=f"{_ROOT}:{os.environ['PATH']}") is None and "CI" not in os.environ:
        pytest.skip(f"{tool} is not installed")
    command = command.replace(".venv/bin/python", "python")
    for documented, actual in (
        ("127.0.0.1:8000", f"127.0.0.1:{services.gateway_port}"),
        ("127.0.0.1:9092", services.servers.kafka.bootstrap_servers),
        ("127.0.0.1:9200", services.servers.elasticsearch.url.removeprefix("http://")),
    ):
        command = command.replace(documented, actual)
    if "-m gateway search" in command:
        command = f"{command.rstrip()} --url {services.gateway_url}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PATH": f"{_ROOT / '.venv/bin'}:{os.environ['PATH']}"},
    )


def _command(*marks: str) -> str:
    return next(command for command in _COMMANDS if all(mark in command for mark in marks))


def test_every_command_of_the_readme_succeeds(services: Services) -> None:
    assert len(_COMMANDS) == 5
    for command in _COMMANDS:
        result = _run(command, services)
        assert result.returncode == 0, (command, result.stderr)


def test_the_first_query_finds_the_device_of_that_name(services: Services) -> None:
    result = _run(_command("curl", "NOT OS.Type"), services)
    assert '"Hostname":"octoxlabs' in result.stdout.replace(" ", "")


def test_the_second_query_is_rejected_with_its_caret(services: Services) -> None:
    result = _run(_command("curl", "Hostnme"), services)
    assert '"code":"unknown_field"' in result.stdout.replace(" ", "")
    assert r"Hostnme = octoxlabs*\n^^^^^^^" in result.stdout


def test_the_topic_shows_what_was_asked(services: Services) -> None:
    _run(_command("curl", "NOT OS.Type"), services)
    result = _run(_command("kcat"), services)
    assert '"event_type":"query.executed"' in result.stdout
    assert "NOT OS.Type in (Windows, macOS)" in result.stdout


def test_the_transcripts_are_what_the_commands_print(services: Services) -> None:
    assert _TRANSCRIPTS
    for command, printed in _TRANSCRIPTS:
        result = _run(command, services)
        assert result.stdout + result.stderr == printed
