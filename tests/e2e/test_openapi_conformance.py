"""Every answer is one that the OpenAPI documents describe: schemathesis asks what they allow, and what they do not."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.demo import authorization
from local.services import Services

_EXAMPLES = 60
"""Requests that are made up for an operation, besides those that its schema's bounds and examples give."""
# Its default checks but one: whether a text is a query, and a name a field, no schema can say.
_UNDECIDABLE = "positive_data_acceptance"


def _report(document: str, folder: Path, *options: str) -> tuple[int, str]:
    """Run schemathesis over the operations of a document.

    Returns:
        its exit status, and what it printed.
    """
    command = [sys.executable, "-m", "schemathesis.cli", "run", document, "--no-color"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(_EXAMPLES), "--continue-on-failure"]
    command += ["--exclude-checks", _UNDECIDABLE, *options]
    result = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=240
    )
    return result.returncode, result.stdout


@pytest.mark.parametrize("service", ["gateway", "translator"])
def test_no_answer_is_undocumented_and_none_is_a_fault(
    service: str, services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = {"gateway": f"{services.gateway_url}/schema/", "translator": f"{services.translator_url}/openapi.json"}
    status, report = _report(document[service], tmp_path, "--header", f"Authorization: {authorization()}")
    assert status == 0, report
    with capsys.disabled():
        print(f"\n{service}: {report[report.index('= SUMMARY =') :]}")
