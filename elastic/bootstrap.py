"""Installs what the cluster must know before the first document: the index templates, new fields of the audit trail
in the indices that it has already, and how long audit logs live.

https://www.elastic.co/docs/manage-data/data-store/templates
"""

from typing import Any

from elasticsearch import Elasticsearch

from elastic.definitions import read_definitions
from elastic.retention import has_lifecycles, install_policy, with_lifecycle

KEEP_DAYS = 400
"""More than the twelve months that PCI DSS 4.0 asks for (requirement 10.5.1)."""


def templates() -> dict[str, dict[str, Any]]:
    """Every index template of this package, by its name, which is its file's."""
    return read_definitions("templates")


def bootstrap(client: Elasticsearch, keep_days: int = KEEP_DAYS, shards: int = 1) -> str:
    """Install the templates, replacing older versions of them, their fields in the trail's indices that are there, and
    what deletes old audit logs; repeatable.

    Args:
        client: the cluster.
        keep_days: after so many days the cluster deletes an audit index, if it manages the life of indices.
        shards: primary shards of each daily index that is made from now on.

    Returns:
        what was installed, and what the cluster lacks.

    Raises:
        elasticsearch.ApiError: Elasticsearch refuses something.
        elasticsearch.TransportError: Elasticsearch cannot be reached.
    """
    found = templates()
    found["query-logs"]["template"]["settings"]["number_of_shards"] = shards
    managed = has_lifecycles(client)
    if managed:
        install_policy(client, keep_days)
        found["query-logs"] = with_lifecycle(found["query-logs"])
    for name, template in found.items():
        client.indices.put_index_template(name=name, body=template)
    # The mapping is strict, so that an event with a field that is new would be refused in today's index.
    trail = found["query-logs"]
    client.indices.put_mapping(
        index=trail["index_patterns"], properties=trail["template"]["mappings"]["properties"], allow_no_indices=True
    )
    deletion = (
        f"audit logs are deleted after {keep_days} days"
        if managed
        else "this cluster deletes no audit logs by itself: python -m elastic prune --keep-days N"
    )
    return f"installed index templates: {', '.join(sorted(found))}; {deletion}"
