"""Users and grants on the topics: one user for each service, with what it may do.

SCRAM credentials are RFC 5802's; operations by resource: https://kafka.apache.org/43/security/authorization-and-acls/

Why: the cluster keeps SCRAM users, so none exists before the first is made. The broker and bootstrap therefore log in
by PLAIN, from a file that only the broker reads, and bootstrap makes the others. Client certificates would be a second
kind of identity. Grants that are no longer listed are removed, so that a narrower list takes effect.
"""

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

from audit_sink.projection import AuditProjection
from contracts.query_event.topics import TopicSettings
from elastic.security import read_password
from indexing.dead_letter_reader import reader_group
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config

GATEWAY = "gateway"
SINK = "audit-sink"

_ANSWER_SECONDS = 30.0
# The least that Kafka takes; it guards random passwords, and a client pays for it at each connection.
_SCRAM_ITERATIONS = 4096


def grants(topics: TopicSettings, group: str) -> list[AclBinding]:
    """All that the services may do; reading and writing imply describing."""
    return [
        # Since Kafka 3.0 this is all that an idempotent producer needs.
        _allow(GATEWAY, ResourceType.TOPIC, topics.topic, AclOperation.WRITE),
        _allow(SINK, ResourceType.TOPIC, topics.topic, AclOperation.READ),
        _allow(SINK, ResourceType.GROUP, group, AclOperation.READ),
        _allow(SINK, ResourceType.TOPIC, topics.dlq_topic, AclOperation.WRITE),
        # For `dead-letters`, `replay` and `status`.
        _allow(SINK, ResourceType.TOPIC, topics.dlq_topic, AclOperation.READ),
        _allow(SINK, ResourceType.GROUP, reader_group(AuditProjection.name), AclOperation.READ),
    ]


def secure(kafka: KafkaSettings, topics: TopicSettings, group: str, passwords: Path) -> list[str]:
    """Give each service its user with its password and its grants, and take away other grants; repeatable.

    Args:
        kafka: how the cluster is reached, as a user who administers it.
        topics: the topics of the audit trail.
        group: the sink's consumer group.
        passwords: a folder with a file for each service that holds its user's password.

    Returns:
        a line about each user.

    Raises:
        ConfigurationError: a password cannot be read.
        confluent_kafka.KafkaException: the cluster does not answer within 30 seconds, or refuses.
    """
    found = {user: read_password(passwords / user) for user in (GATEWAY, SINK)}
    admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS)
    credentials: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, scram, password.encode()) for user, password in found.items()
    ]
    for future in admin.alter_user_scram_credentials(credentials, request_timeout=_ANSWER_SECONDS).values():
        future.result()
    wanted = grants(topics, group)
    for granted in admin.create_acls(wanted, request_timeout=_ANSWER_SECONDS).values():
        granted.result()
    surplus = [each for user in found for each in _granted(admin, user) if each not in wanted]
    if surplus:
        for taken in admin.delete_acls([_only(each) for each in surplus], request_timeout=_ANSWER_SECONDS).values():
            taken.result()
    return [f"{user}: has its password and {_count(user, wanted)} grants" for user in found]


def _allow(user: str, kind: ResourceType, name: str, operation: AclOperation) -> AclBinding:
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


def _count(user: str, wanted: list[AclBinding]) -> int:
    return sum(each.principal == f"User:{user}" for each in wanted)
