"""Fields of index templates that others have published, as mappings: the files in `tests/data` name their sources."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.paths import DATA


def ecs() -> dict[str, Any]:
    """The mapping of an index that has every field of the Elastic Common Schema."""
    mapping: dict[str, Any] = {"properties": {}}
    for path, definition in _rows("ecs-fields.tsv"):
        _put(mapping, path, definition)
    return mapping


def wazuh_states() -> dict[str, dict[str, Any]]:
    """The mappings of Wazuh's states indices, by the name of the index."""
    mappings: dict[str, dict[str, Any]] = {}
    for path, definition, indices in _rows("wazuh-states-fields.tsv"):
        for index in indices.split(" "):
            _put(mappings.setdefault(f"wazuh-states-{index}", {"properties": {}}), path, definition)
    return mappings


def _rows(name: str) -> Iterator[tuple[Any, ...]]:
    for line in (DATA / name).read_text().splitlines():
        if not line.startswith("#"):
            path, kind, parameters, *rest = line.split("\t")
            yield path, {"type": kind, **json.loads(parameters)}, *rest


def _put(mapping: dict[str, Any], path: str, definition: dict[str, Any]) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        mapping = mapping["properties"].setdefault(parent, {})
        mapping.setdefault("properties", {})
    # A row of an object may come after those of the fields below it.
    mapping["properties"][name] = {**mapping["properties"].get(name, {}), **definition}
