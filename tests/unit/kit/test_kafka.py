"""The connection to Kafka, as every client of it has it."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from kit.kafka import KafkaSettings, SaslMechanism, SecurityProtocol, client_config


def test_without_credentials_the_client_sends_no_credentials() -> None:
    assert client_config(KafkaSettings(bootstrap_servers="kafka:9092")) == {
        "bootstrap.servers": "kafka:9092",
        "security.protocol": "PLAINTEXT",
        "reconnect.backoff.max.ms": "2000",
    }


def test_credentials_and_the_authority_go_to_the_client() -> None:
    config = client_config(
        KafkaSettings(
            security_protocol=SecurityProtocol.SASL_SSL,
            sasl_mechanism=SaslMechanism.SCRAM_SHA_256,
            sasl_username="gateway",
            sasl_password=SecretStr("hush"),
            ssl_ca=Path("/run/ca.crt"),
        )
    )
    assert config["security.protocol"] == "SASL_SSL"
    assert (config["sasl.mechanism"], config["sasl.username"], config["sasl.password"]) == (
        "SCRAM-SHA-256",
        "gateway",
        "hush",
    )
    assert config["ssl.ca.location"] == "/run/ca.crt"


@pytest.mark.parametrize("given", [{}, {"sasl_username": "gateway"}, {"sasl_password": SecretStr("hush")}])
def test_a_protocol_with_credentials_is_refused_without_both(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"):
        KafkaSettings.model_validate({"security_protocol": "SASL_SSL"} | given)
