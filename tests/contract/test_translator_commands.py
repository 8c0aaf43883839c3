"""The translator's command line: one query, and JSON lines."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.command_line import run_here
from translator.command_line import main

_MAPPING = {"properties": {"Hostname": {"type": "keyword"}, "Ip": {"type": "ip"}}}


def _run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return run_here(main, *arguments, standard_input=stdin)


@pytest.fixture(name="mapping")
def _mapping(tmp_path: Path) -> str:
    path = tmp_path / "mapping.json"
    path.write_bytes(orjson.dumps(_MAPPING))
    return str(path)


def test_a_query_is_printed_as_dsl(mapping: str) -> None:
    command = [sys.executable, "-m", "translator", "Hostname = octoxlabs*", "--mapping", mapping]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert orjson.loads(result.stdout) == {"prefix": {"Hostname": "octoxlabs"}}


def test_a_notice_is_printed_beside_the_dsl(mapping: str) -> None:
    result = _run("Hostname = web%", "--mapping", mapping)
    assert orjson.loads(result.stdout) == {"term": {"Hostname": "web%"}}
    assert result.stderr.decode() == (
        "notice: % is literal; * is the wildcard (at character 12); perhaps you mean: web*\n"
    )


def test_letter_case_is_ignored_on_request(mapping: str) -> None:
    result = _run("Hostname = A", "--mapping", mapping, "--case-insensitive")
    assert orjson.loads(result.stdout) == {"term": {"Hostname": {"value": "A", "case_insensitive": True}}}


def test_a_rejected_query_is_a_picture_and_exit_status_2(mapping: str) -> None:
    result = _run("Hostnme = octoxlabs* AND Ip = 10.0.0.0/8", "--mapping", mapping)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode() == (
        'Hostnme = octoxlabs* AND Ip = 10.0.0.0/8\n^^^^^^^\nunknown field "Hostnme"; did you mean "Hostname"?\n'
    )


@pytest.mark.parametrize("arguments", [["Hostname = a", "--mapping"], ["--batch"]])
def test_an_output_that_cannot_be_written_is_one_line_and_exit_status_1(arguments: list[str], mapping: str) -> None:
    batch = arguments == ["--batch"]
    command = [sys.executable, "-m", "translator", *arguments, *([] if batch else [mapping])]
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            command, input=b"{}\n", stdout=full, stderr=subprocess.PIPE, text=False, timeout=60, check=False
        )
    assert (result.returncode, result.stderr) == (1, b"translator: standard output: No space left on device\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["a = 1"], ["a = 1", "--mapping", "no-such-file"], ["a = 1", "--mapping", "/dev/null"], ["--batch", "a"]],
)
def test_a_wrong_command_line_says_so(arguments: list[str]) -> None:
    result = _run(*arguments)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize(
    "mapping",
    [
        _MAPPING,
        {"mappings": _MAPPING},
        {"devices-1": {"mappings": _MAPPING}, "devices-2": {"mappings": _MAPPING}},
    ],
)
def test_a_batch_answers_line_by_line_whatever_form_the_mapping_has(mapping: dict[str, Any]) -> None:
    lines = [{"query": query, "mapping": mapping} for query in ("Ip = ::1", "Hostnme = a", "")]
    result = _run("--batch", stdin=b"\n".join(map(orjson.dumps, lines)))
    assert (result.returncode, result.stderr) == (0, b"")
    assert [orjson.loads(line) for line in result.stdout.splitlines()] == [
        {"query": {"term": {"Ip": "::1"}}, "notices": []},
        {
            "error": {
                "code": "unknown_field",
                "message": 'unknown field "Hostnme"; did you mean "Hostname"?',
                "position": 0,
                "end": 7,
                "suggestions": ["Hostname"],
            }
        },
        {"query": {"match_all": {}}, "notices": []},
    ]


@pytest.mark.parametrize(
    "line",
    [
        *[b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"query": 1, "mapping": {}}', b'{"query": "a = 1"}'],
        *[b'{"query": "", "mapping": []}', b'{"query": "", "mapping": {"properties": {"a": 1}}}', b"[" * 100_000],
        *[b'{"query": "", "mapping": {}, "more": 1}', b'{"query": "", "mapping": {}, "case_insensitive": 1}'],
        *[b'{"query": "\\ud800", "mapping": {}}', b'{"query": "", "mapping": {"a": {"b": 1}}}'],
    ],
)
def test_a_bad_line_is_an_error_of_its_own(line: bytes) -> None:
    good = orjson.dumps({"query": "", "mapping": {}})
    result = _run("--batch", stdin=b"\n".join([line, good]))
    first, second = (orjson.loads(answer) for answer in result.stdout.splitlines())
    assert first["error"].keys() == {"code", "message", "position", "end", "suggestions"}
    assert first["error"]["code"] == "malformed"
    assert second == {"query": {"match_all": {}}, "notices": []}
