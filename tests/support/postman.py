"""Postman's collection: its folder, and what makes and runs it, which wants Node."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.paths import ROOT

FOLDER = ROOT / "postman"
COLLECTION = FOLDER / "sluice.postman_collection.json"
ENVIRONMENT = FOLDER / "sluice.postman_environment.json"


def tools() -> Path:
    """The folder in which the programs are, installed as `make postman` does; the test is skipped without Node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed")
    subprocess.run(["make", "--silent", "build/postman/made.stamp"], cwd=ROOT, check=True)
    return ROOT / "build" / "postman"


def requests() -> list[dict[str, Any]]:
    """The requests of the collection."""
    found: list[dict[str, Any]] = []

    def walk(items: list[dict[str, Any]]) -> None:
        for item in items:
            if "item" in item:
                walk(item["item"])
            else:
                found.append(item["request"])

    walk(orjson.loads(COLLECTION.read_bytes())["item"])
    return found
