"""Lifecycle policy by which the cluster deletes old daily indices of the audit trail, where it has that module.

Index lifecycle management is a part of the full distribution (https://www.elastic.co/docs/manage-data/lifecycle).

Why: the day in an index's name is its age (``index.lifecycle.parse_origination_date``), as a replay may create last
month's index today. 400 days by default: PCI DSS 4.0 (10.5.1) asks for twelve months, and an audit store without a
limit fills its disk. ``prune`` has no default, because it deletes at once.
"""

from http import HTTPStatus
from typing import Any

from elasticsearch import ApiError, Elasticsearch

POLICY = "query-logs"


def has_lifecycles(client: Elasticsearch) -> bool:
    """Whether the cluster manages the life of indices.

    Raises:
        elasticsearch.ApiError: the cluster does not say.
        elasticsearch.TransportError: Elasticsearch cannot be reached.
    """
    try:
        client.ilm.get_status()
    except ApiError as error:
        # No such path: the first is the answer to a GET, the others are what older versions and proxies give.
        if error.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
            return False
        raise
    return True


def install_policy(client: Elasticsearch, keep_days: int) -> None:
    """Install the policy that deletes an index so many days after its own day.

    Raises:
        elasticsearch.ApiError: the cluster refuses it.
        elasticsearch.TransportError: Elasticsearch cannot be reached.
    """
    phases = {"delete": {"min_age": f"{keep_days}d", "actions": {"delete": {}}}}
    client.ilm.put_lifecycle(name=POLICY, policy={"phases": phases})


def with_lifecycle(template: dict[str, Any]) -> dict[str, Any]:
    """The index template with the policy in its settings; an index's age is that of the day in its name."""
    inner = template["template"]
    lifecycle = {"index.lifecycle.name": POLICY, "index.lifecycle.parse_origination_date": True}
    return {**template, "template": {**inner, "settings": {**inner["settings"], **lifecycle}}}
