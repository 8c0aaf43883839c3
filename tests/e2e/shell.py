"""The commands of a document, run against the stack that the tests have started."""

import os
import re
import shutil
import subprocess

import pytest

from local.services import Services
from tests.support.paths import ROOT


def commands(page: str) -> list[str]:
    """The shell blocks of a Markdown page."""
    return re.findall(r"```sh\n(.*?)```", page, re.DOTALL)


def run(command: str, services: Services, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a block as a reader would, up to the first command that fails, with the stack's ports.

    Args:
        command: as the page has it.
        services: the stack.
        variables: of the environment, beside the test's own.
    """
    # A machine with Python and make alone may lack curl, jq and kcat; the CI's must not.
    for tool in re.findall(r"\b(?:curl|jq|kcat)\b", command):
        if shutil.which(tool) is None and "CI" not in os.environ:
            pytest.skip(f"{tool} is not installed")
    command = command.replace(".venv/bin/python", "python")
    for documented, actual in (
        ("127.0.0.1:8000", f"127.0.0.1:{services.gateway_port}"),
        ("127.0.0.1:9092", services.servers.kafka.bootstrap_servers),
        (".local/", f"{services.home}/"),
        ("127.0.0.1:9200", services.servers.elasticsearch.url.removeprefix("http://")),
    ):
        command = command.replace(documented, actual)
    return subprocess.run(
        ["bash", "-ec", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={
            **os.environ,
            "SLUICE": services.gateway_url,
            **variables,
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        },
    )
