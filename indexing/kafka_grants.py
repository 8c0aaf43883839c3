"""Users of Kafka and their grants on the topics: one user for each service, with what it may do.

SCRAM credentials are RFC 5802's; operations by resource: https://kafka.apache.org/43/security/authorization-and-acls/

Why: the cluster keeps SCRAM users, so none exists before the first is made. The broker and bootstrap therefore log in
by PLAIN, from a file that only the broker reads, and bootstrap makes the others. Client certificates would be a second
kind of identity. Grants that are no longer listed are removed, so that a narrower list takes effect.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from confluent_kafka.admin import AdminClient

# The package exports the rest too, but not for type checkers.
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from elastic.security import read_password
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

_ANSWER_SECONDS = 30.0
# The least that Kafka takes; it guards random passwords, and a client pays for it at each connection.
_SCRAM_ITERATIONS = 4096


Grants = Mapping[str, Sequence[AclBinding]]
"""Users, and all that each may do."""


def secure(kafka: KafkaSettings, grants: Grants, passwords: Path) -> list[str]:
    """Give each user its password and its grants, and take away other grants; repeatable.

    Args:
        kafka: how the cluster is reached, as a user who administers it.
        grants: the users, and all that each may do; reading and writing imply describing.
        passwords: a folder with a file for each user that holds its password.

    Returns:
        a line about each user.

    Raises:
        ConfigurationError: a password cannot be read.
        confluent_kafka.KafkaException: the cluster does not answer within 30 seconds, or refuses.
    """
    found = {user: read_password(passwords / user) for user in grants}
    admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS)
    credentials: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, scram, password.encode()) for user, password in found.items()
    ]
    for future in admin.alter_user_scram_credentials(credentials, request_timeout=_ANSWER_SECONDS).values():
        future.result()
    wanted = [grant for each in grants.values() for grant in each]
    for granted in admin.create_acls(wanted, request_timeout=_ANSWER_SECONDS).values():
        granted.result()
    surplus = [each for user in found for each in _granted(admin, user) if each not in wanted]
    if surplus:
        for taken in admin.delete_acls([_only(each) for each in surplus], request_timeout=_ANSWER_SECONDS).values():
            taken.result()
    return [f"{user}: has its password and {len(each)} grants" for user, each in grants.items()]


def allow(user: str, kind: ResourceType, name: str, operation: AclOperation) -> AclBinding:
    """The grant of one operation on one topic or group."""
    pattern, permission = ResourcePatternType.LITERAL, AclPermissionType.ALLOW
    return AclBinding(kind, name, pattern, f"User:{user}", "*", operation, permission)


def _granted(admin: AdminClient, user: str) -> list[AclBinding]:
    everything = AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # any name, as its own documentation has it
        ResourcePatternType.ANY,
        f"User:{user}",
        None,  # type: ignore[arg-type]  # any host
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    found: list[AclBinding] = admin.describe_acls(everything, request_timeout=_ANSWER_SECONDS).result()
    return found


def _only(grant: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        grant.restype,
        grant.name,
        grant.resource_pattern_type,
        grant.principal,
        grant.host,
        grant.operation,
        grant.permission_type,
    )
