"""The JSON files of this package, which say what a cluster is told."""

import json
from importlib.resources import files
from typing import Any


def read_definitions(folder: str) -> dict[str, dict[str, Any]]:
    """Read all of a folder of this package, each by its file's name without the ending."""
    return {
        entry.name.removesuffix(".json"): json.loads(entry.read_text(encoding="utf-8"))
        for entry in (files("elastic") / folder).iterdir()
        if entry.name.endswith(".json")
    }
