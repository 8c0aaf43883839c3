"""Users and roles in a cluster with security on: one user for each service, with the role of the same name.

A role's file says what it grants:
https://www.elastic.co/docs/deploy-manage/users-roles/cluster-or-deployment-auth/elasticsearch-privileges

Why: passwords exist before anything runs, and putting a user or role can be repeated. An API key is told only once by
the cluster, has to be brought to its service, and keeps a copy of its role. ``ELASTICSEARCH_API_KEY`` is for clusters
whose operators issue keys.
"""

from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from elastic.definitions import read_definitions
from kit.settings import ConfigurationError

KIBANA = "kibana_system"
"""The user that Elasticsearch keeps for Kibana; it lacks only a password."""

_PREFIX = "sluice-"


def roles() -> dict[str, dict[str, Any]]:
    """Every role of this package by its service's name, which is its file's."""
    return read_definitions("roles")


def secure(client: Elasticsearch, passwords: Path) -> list[str]:
    """Give each service its role and its user, ``sluice-<service>``; repeatable, and a new password takes at once.

    Args:
        client: the cluster, as a user who may manage its security.
        passwords: a folder with a file for each service that holds its user's password, and optionally
            ``kibana_system`` with Kibana's.

    Returns:
        a line about each user.

    Raises:
        ConfigurationError: a password cannot be read.
        elasticsearch.ApiError: the cluster refuses something, such as a password of less than six characters.
        elasticsearch.TransportError: Elasticsearch cannot be reached.
    """
    wanted = roles()
    # All of them first, so that a missing one leaves the cluster as it was.
    found = {service: read_password(passwords / service) for service in sorted(wanted)}
    for service, password in found.items():
        name = f"{_PREFIX}{service}"
        client.security.put_role(name=name, body=wanted[service])
        client.security.put_user(username=name, password=password, roles=[name])
    done = [f"{_PREFIX}{service}: has its role and password" for service in found]
    if (passwords / KIBANA).exists():
        client.security.change_password(username=KIBANA, password=read_password(passwords / KIBANA))
        done.append(f"{KIBANA}: has its password")
    return done


def read_password(path: Path) -> str:
    """The password that a file holds, without its last line break.

    Raises:
        ConfigurationError: the file is missing or empty.
    """
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the password file {path} cannot be read ({type(error).__name__})") from error
    if not password:
        raise ConfigurationError(f"the password file {path} is empty")
    return password
