"""``python -m gateway search`` where its arguments, its output or its gateway are not what they should be."""

import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl

import orjson
import pytest

from gateway.serving.command_line import main
from tests.support.command_line import run_here
from tests.support.http_server import QuietHandler, serving
from tests.support.process import running

_ANSWER = {
    "query_id": "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10",
    "count": 2_000,
    "count_relation": "eq",
    "took_ms": 3,
    "results": [{"Hostname": f"host{number:050}"} for number in range(2_000)],
    "next": None,
    "notices": [],
}


_LOG_IN = {"GATEWAY_USERNAME": "ada", "GATEWAY_PASSWORD": "a & b", "GATEWAY_CLIENT_ID": "5f3c9a0b7d2e4f61"}
_FORM = {
    "grant_type": "password",
    "username": "ada",
    "password": "a & b",
    "client_id": "5f3c9a0b7d2e4f61",
    "client_secret": "hush",
}


class _Gateway(QuietHandler):
    status = HTTPStatus.OK
    answer: object = _ANSWER
    shown: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:  # pylint: disable=invalid-name  # as the standard library has it
        """Answer whatever is asked, and exchange the one API key, or the one password, for a token."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.shown.append(self.headers["Authorization"])
        if self.path == "/oauth/token":
            is_exchange = dict(parse_qsl(body.decode())) == _FORM
        else:
            is_exchange = self.path == "/auth/token" and orjson.loads(body) == {"api_key": "sluice_key"}
        body = orjson.dumps({"access_token": "exchanged"} if is_exchange else self.answer)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where something answers as a gateway does."""
    with serving(_Gateway) as address:
        yield address


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", "search", *arguments]


def _run(*arguments: str | bytes, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return run_here(main, "search", *arguments, variables=variables)


@pytest.fixture
def shown() -> list[str | None]:
    """The Authorization headers of the requests that come."""
    _Gateway.shown.clear()
    return _Gateway.shown


def test_a_token_from_the_environment_says_who_asks(url: str, shown: list[str | None]) -> None:
    assert _run("", "--url", url, variables={"GATEWAY_TOKEN": "a.b.c", "GATEWAY_API_KEY": "sluice_key"}).returncode == 0
    assert shown == ["Bearer a.b.c"]


def test_an_api_key_from_a_file_is_exchanged_for_a_token(url: str, shown: list[str | None], tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("sluice_key\n")
    result = _run("", "--url", url, variables={"GATEWAY_API_KEY_FILE": str(file)})
    assert (result.returncode, result.stderr) == (0, b"")
    assert shown == [None, "Bearer exchanged"]


def test_a_name_and_a_password_are_exchanged_for_a_token_by_the_password_grant(
    url: str, shown: list[str | None]
) -> None:
    result = _run("", "--url", url, variables={**_LOG_IN, "GATEWAY_CLIENT_SECRET": "hush"})
    assert (result.returncode, result.stderr) == (0, b"")
    assert shown == [None, "Bearer exchanged"]


def test_an_error_of_oauth_is_said(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    error = {"error": "unsupported_grant_type", "error_description": "This gateway does not take this grant."}
    monkeypatch.setattr(_Gateway, "answer", error)
    monkeypatch.setattr(_Gateway, "status", HTTPStatus.BAD_REQUEST)
    result = _run("", "--url", url, variables=_LOG_IN)
    assert (result.returncode, result.stderr) == (2, b"This gateway does not take this grant.\n")


def test_a_user_who_is_named_is_asked_for_by_the_unsigned_header(url: str, shown: list[str | None]) -> None:
    assert _run("", "--url", url, "--user", "ada", variables={"GATEWAY_TOKEN": "a.b.c"}).returncode == 0
    assert shown == ["Octoxlabs YWRh"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, b"say who asks: set GATEWAY_TOKEN or GATEWAY_API_KEY"),
        ({"GATEWAY_USERNAME": "ada", "GATEWAY_PASSWORD": "hush"}, b"say who asks: "),
        ({"GATEWAY_TOKEN": "hush\nX-Evil: 1"}, b"GATEWAY_TOKEN: must be"),
        ({"GATEWAY_API_KEY": "hush hush"}, b"GATEWAY_API_KEY: must be"),
        ({"GATEWAY_TOKEN_FILE": "/not/there"}, b"GATEWAY_TOKEN_FILE: /not/there cannot be read"),
    ],
)
def test_without_a_credential_that_can_be_sent_nothing_is_asked(
    variables: dict[str, str], said: bytes, url: str, shown: list[str | None]
) -> None:
    result = _run("", "--url", url, variables=variables)
    assert (result.returncode, shown, result.stderr.count(b"\n")) == (2, [], 1)
    assert result.stderr.startswith(said)
    assert b"hush" not in result.stderr


def test_notices_are_said_on_standard_error_and_cannot_steer_the_terminal(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"code": "quoted_wildcard", "position": 7, "end": 12}
    notices = [
        {**place, "message": "* is literal in quotes", "suggestion": "an*"},
        {**place, "message": "\x1b[2J", "suggestion": None},
        {**place, "message": "a semicolon", "suggestion": ""},
    ]
    monkeypatch.setattr(_Gateway, "answer", _ANSWER | {"notices": notices})
    result = _run("Site = 'an*'", "--user", "ada", "--url", url)
    assert result.returncode == 0
    assert result.stderr.decode().splitlines() == [
        "notice: * is literal in quotes (at character 8); perhaps you mean: an*",
        r"notice: \x1b[2J (at character 8)",
        "notice: a semicolon (at character 8); perhaps you mean: (nothing)",
    ]
    assert b"notice" not in result.stdout


def test_an_address_that_leads_nowhere_is_one_line_and_exit_status_1() -> None:
    result = _run("", "--user", "ada", "--url", f"http://{'x' * 300}")
    assert (result.returncode, result.stderr.count(b"\n")) == (1, 1)
    assert result.stderr.startswith(b"no answer from ")


@pytest.mark.parametrize(
    "arguments",
    [
        (b"Hostname = \xff", "--user", "ada"),
        ("", "--user", b"\xff"),
        ("", "--user", "ada", "--size", "99999999999999999999"),
        ("", "--user", "ada", "--size", "-1"),
        ("", "--user", "ada", "--size", "9" * 5000),
        ("", "--user", "ada", "--fields", b"\xff"),
        ("", "--user", "ada", "--url", b"http://\xff"),
        ("", "--user", "ada", "--url", ""),
        ("", "--user", "ada", "--url", "127.0.0.1:8000"),
        ("", "--user", "ada", "--url", "http://[::1"),
        ("", "--user", "ada", "--url", "http://127.0.0.1:99999999"),
        ("", "--user", "ada", "--url", "file:///etc/passwd"),
    ],
)
def test_an_argument_that_cannot_be_sent_is_refused_with_exit_status_2(arguments: tuple[str | bytes, ...]) -> None:
    result = _run(*arguments)
    assert result.returncode == 2
    assert b"error: argument" in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_reader_that_goes_away_ends_it_quietly(url: str) -> None:
    command = _command("", "--user", "ada", "--url", url)
    with running(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_a_reader_of_the_help_that_goes_away_ends_it_quietly() -> None:
    with running(*_command("--help"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_an_output_that_is_full_is_one_line_and_exit_status_1(url: str) -> None:
    with Path("/dev/full").open("wb") as full:
        command = _command("", "--user", "ada", "--url", url)
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (1, b"gateway: standard output: No space left on device\n")


@pytest.mark.parametrize(
    ("status", "answer"),
    [(HTTPStatus.OK, []), (HTTPStatus.OK, {"results": []}), (HTTPStatus.NOT_FOUND, {"detail": None})],
)
def test_a_server_that_is_no_gateway_is_called_that(status: HTTPStatus, answer: object) -> None:
    handler = type("_Other", (_Gateway,), {"status": status, "answer": answer})
    with serving(handler) as address:
        result = _run("", "--user", "ada", "--url", address)
    assert result.returncode in (1, 2)
    assert result.stderr.decode().splitlines() == ["the answer is not a gateway's"]


@pytest.mark.parametrize("token", [None, 5, "a\r\nX-Evil: 1", "ş", ""])
def test_an_invalid_token_is_never_shown(token: object, shown: list[str | None]) -> None:
    handler = type("_Other", (_Gateway,), {"answer": {"access_token": token}})
    with serving(handler) as address:
        result = _run("", "--url", address, variables={"GATEWAY_API_KEY": "another_key"})
    assert (result.returncode, result.stderr, shown) == (1, b"the answer is not a gateway's\n", [None])
