"""``python -m gateway search`` where its arguments, its output or its gateway are not what they should be."""

import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import orjson
import pytest

from tests.http_server import QuietHandler, serving

_ANSWER = {
    "query_id": "01a30d3c-6a55-7b52-9d0c-2f6c1b3f5a10",
    "count": 2_000,
    "count_relation": "eq",
    "took_ms": 3,
    "results": [{"Hostname": f"host{number:050}"} for number in range(2_000)],
    "next": None,
}


class _Gateway(QuietHandler):
    status = HTTPStatus.OK
    answer: object = _ANSWER

    def do_POST(self) -> None:  # pylint: disable=invalid-name  # as the standard library has it
        """Answer whatever is asked."""
        self.rfile.read(int(self.headers["Content-Length"]))
        body = orjson.dumps(self.answer)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where something answers as a gateway does."""
    with serving(_Gateway) as address:
        yield address


def _command(*arguments: str | bytes) -> list[str | bytes]:
    return [sys.executable, "-m", "gateway", "search", *arguments]


def _run(*arguments: str | bytes, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(_command(*arguments), stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        (b"Hostname = \xff", "--user", "ada"),
        ("", "--user", b"\xff"),
        ("", "--user", "ada", "--size", "99999999999999999999"),
        ("", "--user", "ada", "--size", "-1"),
        ("", "--user", "ada", "--fields", b"\xff"),
    ],
)
def test_an_argument_that_cannot_be_sent_is_refused_with_exit_status_2(arguments: tuple[str | bytes, ...]) -> None:
    result = _run(*arguments)
    assert result.returncode == 2
    assert b"error: argument" in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_reader_that_goes_away_ends_it_quietly(url: str) -> None:
    with subprocess.Popen(
        _command("", "--user", "ada", "--url", url), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_an_output_that_is_full_is_one_line_and_exit_status_1(url: str) -> None:
    with Path("/dev/full").open("wb") as full:
        result = _run("", "--user", "ada", "--url", url, stdout=full.fileno())
    assert (result.returncode, result.stderr) == (1, b"standard output: No space left on device\n")


@pytest.mark.parametrize(
    ("status", "answer"),
    [(HTTPStatus.OK, []), (HTTPStatus.OK, {"results": []}), (HTTPStatus.NOT_FOUND, {"detail": None})],
)
def test_what_is_no_gateway_is_called_that(status: HTTPStatus, answer: object) -> None:
    handler = type("_Other", (_Gateway,), {"status": status, "answer": answer})
    with serving(handler) as address:
        result = _run("", "--user", "ada", "--url", address)
    assert result.returncode in (1, 2)
    assert result.stderr.decode().splitlines() == ["the answer is not a gateway's"]
