"""Settings of a connection to Kafka, the configuration that every client of it has, and producing for a command."""

import logging
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._topic import TopicDescription
from pydantic import SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from kit.logs import OncePerInterval
from kit.settings import Settings

LIBRDKAFKA = logging.getLogger("librdkafka")
"""Logger for every Kafka client: a line of each kind now and then, since librdkafka repeats itself."""
LIBRDKAFKA.addFilter(OncePerInterval())

TOPIC_NAME = r"^[a-zA-Z0-9._-]{1,249}$"
"""Pattern of a topic's name, as Kafka takes it."""


class SecurityProtocol(StrEnum):
    """Security protocols of a Kafka connection."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """SASL mechanisms of a Kafka client."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class KafkaSettings(Settings):
    """Settings of the connection to Kafka."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_")

    bootstrap_servers: str = "127.0.0.1:9092"
    security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    sasl_mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca: Path | None = None

    @model_validator(mode="after")
    def _sasl_has_credentials(self) -> Self:
        if self.security_protocol.startswith("SASL_") and (self.sasl_username is None or self.sasl_password is None):
            raise ValueError("KAFKA_SECURITY_PROTOCOL asks for KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
        return self


def client_config(settings: KafkaSettings) -> dict[str, str]:
    """The librdkafka properties that every client of this cluster needs."""
    config = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol.value,
        # A broker that is back is found again within two seconds; ten are the default.
        "reconnect.backoff.max.ms": "2000",
    }
    if settings.sasl_username is not None and settings.sasl_password is not None:
        config["sasl.mechanism"] = settings.sasl_mechanism.value
        config["sasl.username"] = settings.sasl_username
        config["sasl.password"] = settings.sasl_password.get_secret_value()
    if settings.ssl_ca is not None:
        config["ssl.ca.location"] = str(settings.ssl_ca)
    return config


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to produce; a partition of -1 is chosen by the key."""

    topic: str
    value: bytes | None
    key: str | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = -1


def probe_topic(admin: AdminClient, topic: str, timeout: float) -> str | None:
    """Say what is wrong with a topic, as the cluster tells it.

    Args:
        admin: a client.
        topic: the topic.
        timeout: how long the cluster may take, in seconds.
    """
    try:
        found = admin.list_topics(topic, timeout=timeout).topics[topic]
    except KafkaException as error:
        return str(error.args[0])
    return None if found.error is None else f"{found.error.str()}: {topic} (create the topic)"


def describe_topic(admin: AdminClient, topic: str, timeout: float) -> "Future[TopicDescription]":
    """Ask for a topic's description, which has its id; the answer is a ``KafkaException`` where there is no such topic.

    Args:
        admin: a client.
        topic: the topic.
        timeout: how long the cluster may take, in seconds.
    """
    return admin.describe_topics(TopicCollection([topic]), request_timeout=timeout)[topic]


def produce(settings: KafkaSettings, client_id: str, records: Iterable[NewRecord], within: float) -> None:
    """Produce a few records and wait until Kafka has acknowledged all of them.

    Args:
        settings: how the cluster is reached.
        client_id: name of the client in the broker's log and metrics.
        records: the records; as many as the producer's queue takes (100,000).
        within: seconds until a record counts as not delivered.

    Raises:
        confluent_kafka.KafkaException: the first error. Records that were acknowledged before it are in the topic.
    """
    errors: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            errors.append(error)

    # The time-out is the delivery's, so that the library's report says what kept the record.
    config = {"client.id": client_id, "acks": "all", "delivery.timeout.ms": str(int(within * 1000))}
    producer = Producer(client_config(settings) | config, logger=LIBRDKAFKA)
    for record in records:
        producer.produce(
            record.topic,
            value=record.value,
            key=record.key,
            headers=[*record.headers],
            partition=record.partition,
            on_delivery=report,
        )
    producer.flush()
    if errors:
        raise KafkaException(errors[0])
