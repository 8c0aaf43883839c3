"""Kafka settings that the gateway and the sink share, and librdkafka's properties for them.

Why: with a copy in each package, a security setting could be forgotten in one of them.
"""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from elastic.settings import Settings

_TOPIC_NAME = r"^[a-zA-Z0-9._-]{1,249}$"


class SecurityProtocol(StrEnum):
    """How a Kafka connection is secured."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How a Kafka client proves who it is."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class KafkaSettings(Settings):
    """How Kafka is reached."""

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


class TopicSettings(Settings):
    """The topics of the audit trail."""

    model_config = SettingsConfigDict(env_prefix="AUDIT_")

    topic: str = Field(default="query-events", pattern=_TOPIC_NAME)
    dlq_topic: str = Field(default="query-events.dlq", pattern=_TOPIC_NAME)


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
