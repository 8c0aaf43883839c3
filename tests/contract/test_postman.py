"""The Postman collection is the one that the OpenAPI document gives."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.support.postman import COLLECTION, ENVIRONMENT, requests, tools


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document, made as `make postman` does, without a warning."""
    made = tmp_path_factory.mktemp("openapi") / "openapi.json"
    options = ["--fail-on-warn", "--format", "openapi-json", "--file", str(made)]
    command = [sys.executable, "-m", "gateway", "spectacular", *options]
    subprocess.run(command, check=True)
    return made


def test_every_operation_is_a_request_of_the_collection(document: Path) -> None:
    paths = orjson.loads(document.read_bytes())["paths"]
    operations = {
        (method.upper(), path, each["summary"]) for path, all_ in paths.items() for method, each in all_.items()
    }
    asked = set()
    for request in requests():
        path = "/".join(f"{{{part[1:]}}}" if part.startswith(":") else part for part in request["url"]["path"])
        asked.add((request["method"], f"/{path}", request["name"]))
    assert asked == operations


@pytest.mark.node
def test_the_collection_is_fresh(document: Path, tmp_path: Path) -> None:
    subprocess.run(["node", str(tools() / "make.mjs"), str(document), str(tmp_path)], check=True)
    for kept in (COLLECTION, ENVIRONMENT):
        assert (tmp_path / kept.name).read_text() == kept.read_text(), "run `make postman`"


def test_there_is_no_secret_in_the_environment() -> None:
    values = {each["key"]: each["value"] for each in orjson.loads(ENVIRONMENT.read_bytes())["values"]}
    assert values == {"baseUrl": "http://127.0.0.1:8000", "accessToken": ""}
