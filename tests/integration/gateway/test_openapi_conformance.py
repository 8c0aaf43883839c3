"""Every answer is one that the OpenAPI documents describe: schemathesis asks what they allow, and what they do not."""

import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from elastic.bootstrap import bootstrap
from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from tests.support.api_key import make_api_key
from tests.support.demo_index import seed
from tests.support.gateway import Backing, configured_gateway

_EXAMPLES = 25
"""Requests that are made up for an operation, besides those that its schema's bounds and examples give."""
# Its default checks but one: whether a text is a query, and a name a field, no schema can say.
_UNDECIDABLE = "positive_data_acceptance"
# A value that is too long for its member can make a body that is too long for its endpoint, which is refused unread.
_CONFIGURATION = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]
"""


def _assert_conformance(document: str, folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> None:
    """Run schemathesis over the operations of a document, and show its summary also where everything is well."""
    (folder / "schemathesis.toml").write_text(_CONFIGURATION, encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "run", document, "--no-color"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(_EXAMPLES), "--continue-on-failure"]
    command += ["--exclude-checks", _UNDECIDABLE, *options]
    result = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=240
    )
    assert result.returncode == 0, result.stdout
    with capsys.disabled():
        print(f"\nschemathesis, {document}\n{result.stdout[result.stdout.index('= SUMMARY =') :]}")


def test_the_gateway_answers_as_documented_and_without_a_fault(
    backing: Backing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = configured_gateway(tmp_path, backing)
    # One who may do everything is refused least.
    assert gateway.run("user", "octoAdmin", "--role", "admin").returncode == 0
    with gateway.started():
        key = {"token": make_api_key(gateway.environment)}
        token = urllib3.request("POST", f"{gateway.url}/api/token/token", json=key).json()["access"]
        _assert_conformance(f"{gateway.url}/schema/", tmp_path, capsys, "--header", f"Authorization: Bearer {token}")


def test_the_translator_answers_as_documented_and_without_a_fault(
    translator_url: str, elasticsearch_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        bootstrap(client)
        seed(client, "devices-conformance")
    _assert_conformance(f"{translator_url}/openapi.json", tmp_path, capsys)
