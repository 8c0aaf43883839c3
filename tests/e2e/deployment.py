"""The deployment that the compose file describes, on this machine: its secrets, its Kafka with users and grants, its
Elasticsearch with users and roles, and its services with their own settings."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.first_start import readers
from deploy.first_start.command_line import main as make_secrets
from elastic.security import roles
from local import jars, ports
from local.kafka import Kafka
from local.supervisor import Program, clean_environment, supervisor
from tests.support.compose import compose, environment, kafka_properties
from tests.support.paths import ROOT
from tests.support.process import python, running
from tests.support.secured_elasticsearch import SecuredElasticsearch

_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Deployment:  # pylint: disable=too-many-instance-attributes  # a port for each server
    """Where its parts are."""

    secrets: Path
    home: Path
    kafka_port: int
    controller_port: int
    elasticsearch_port: int
    translator_port: int
    gateway_port: int
    sink_port: int
    worker_port: int
    indexer_port: int
    command_port: int
    live_port: int
    live_metrics_port: int
    lake_port: int

    def environment(self, service: str) -> dict[str, str]:
        """The environment of a service in the compose file, with addresses and folders of this machine."""
        moved = {
            "/run/secrets": str(self.secrets / service.removesuffix("-1")),
            "kafka:9092": f"localhost:{self.kafka_port}",
            "https://elasticsearch:9200": f"https://localhost:{self.elasticsearch_port}",
            "http://translator:8001": f"http://127.0.0.1:{self.translator_port}",
            "/var/lib/sluice": str(self.home),
            "0.0.0.0": "127.0.0.1",
        }
        told = environment(service)
        for name, value in told.items():
            for old, new in moved.items():
                value = value.replace(old, new)
            told[name] = value
        # Neither is part of what is tested here, and both need a server.
        told.pop("GATEWAY_DATABASE_URL_FILE", None)
        told.pop("GATEWAY_REDIS_URL_FILE", None)
        told["GATEWAY_DATABASE_URL"] = f"sqlite:///{self.home / 'gateway.db'}"
        ports_of = {
            "GATEWAY_PORT": self.command_port if service == "command-gateway" else self.gateway_port,
            "TRANSLATOR_PORT": self.translator_port,
            "AUDIT_SINK_METRICS_PORT": self.sink_port,
            "GATEWAY_WORKER_METRICS_PORT": self.worker_port,
            "INVENTORY_INDEX_METRICS_PORT": self.indexer_port,
            "GATEWAY_LIVE_PORT": self.live_port,
            "GATEWAY_LIVE_METRICS_PORT": self.live_metrics_port,
            "LAKE_METRICS_PORT": self.lake_port,
        }
        return told | {name: str(port) for name, port in ports_of.items()}

    def bootstrap_commands(self) -> list[list[str]]:
        """The commands of the compose file's bootstrap, except for users of Elasticsearch, which are in files here, and
        of PostgreSQL, which is not there."""
        script = compose()["services"]["bootstrap"]["entrypoint"][2]
        passwords = f"{self.secrets / 'bootstrap'}/"
        commands = re.findall(r"^python -m (.+)$", script.replace("/run/secrets/", passwords), re.MULTILINE)
        return [command.split() for command in commands if not command.startswith(("elastic secure", "gateway secure"))]

    def run(self, service: str, *arguments: str, text: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a command with a service's settings, to its end."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=clean_environment(self.environment(service) | more),
            input=text,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )

    @contextmanager
    def started(self, service: str, *arguments: str) -> Iterator[None]:
        """A service while the context lasts."""
        with running(*python(*arguments), environment=clean_environment(self.environment(service))):
            yield


@contextmanager
def deployed(home: Path, patch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """The servers, secured as the compose file says, and with what its bootstrap makes."""
    secrets = home / "secrets"
    secrets.mkdir()
    # All are the tests' own; only root could give files away.
    patch.setattr(readers, "OWNERS", dict.fromkeys(readers.OWNERS, os.getuid()))
    assert make_secrets([str(secrets)]) == 0
    kafka_port, controller_port, elasticsearch_port, *others = ports.free(13)
    it = Deployment(secrets, home, kafka_port, controller_port, elasticsearch_port, *others[1:])
    kafka = Kafka(
        home / "kafka",
        jars.fetch()["kafka"],
        kafka_port,
        controller_port,
        _broker(it),
        secrets / "kafka" / "jaas.conf",
    )
    kafka.prepare()
    elasticsearch = SecuredElasticsearch(home / "elasticsearch", (elasticsearch_port, others[0]))
    users = {f"sluice-{name}": role for name, role in roles().items()}
    passwords = {f"sluice-{path.name}": path.read_text() for path in (secrets / "bootstrap/elasticsearch").iterdir()}
    elasticsearch.prepare(users, passwords)
    settings = {name: value for name, value in environment("elasticsearch").items() if name.startswith("xpack.")}
    (home / "elasticsearch" / "config" / "secrets").symlink_to(secrets / "elasticsearch")
    programs = [
        Program("kafka", kafka.command(), lambda: ports.answers(kafka_port)),
        elasticsearch.program(settings, (secrets / "elasticsearch" / "elastic-password").read_text()),
    ]
    with supervisor(home, programs, {}) as running:
        running.start(*programs)
        yield it


def _broker(it: Deployment) -> dict[str, str]:
    moved = {
        "/run/secrets": str(it.secrets / "kafka"),
        "CLIENTS://kafka:9092": f"CLIENTS://localhost:{it.kafka_port}",
        "CLIENTS://:9092": f"CLIENTS://127.0.0.1:{it.kafka_port}",
        "localhost:9093": f"127.0.0.1:{it.controller_port}",
        "/var/lib/kafka/data": str(it.home / "kafka" / "data"),
    }
    properties = kafka_properties()
    for name, value in properties.items():
        for old, new in moved.items():
            value = value.replace(old, new)
        properties[name] = value
    return properties
