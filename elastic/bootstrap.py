"""Installs what the cluster must know before the first document: the index templates.

https://www.elastic.co/docs/manage-data/data-store/templates
"""

import json
from importlib.resources import files
from typing import Any

from elasticsearch import Elasticsearch


def templates() -> dict[str, dict[str, Any]]:
    """Every index template of this package, by its name, which is its file's."""
    folder = files("elastic") / "templates"
    return {
        entry.name.removesuffix(".json"): json.loads(entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    }


def bootstrap(client: Elasticsearch) -> list[str]:
    """Install the templates, replacing older versions of them; repeatable.

    Returns:
        the templates' names.

    Raises:
        elasticsearch.ApiError: Elasticsearch refuses one.
        elasticsearch.TransportError: Elasticsearch cannot be reached.
    """
    found = templates()
    for name, template in found.items():
        client.indices.put_index_template(name=name, body=template)
    return sorted(found)
