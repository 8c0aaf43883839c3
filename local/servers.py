"""Kafka and Elasticsearch as programs of the stack."""

from dataclasses import dataclass
from pathlib import Path

import urllib3

from local import jars, ports
from local.elasticsearch import Elasticsearch
from local.kafka import Kafka
from local.supervisor import Program

_HTTP = urllib3.PoolManager(retries=False, timeout=2.0)


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, set up in one folder, not started."""

    kafka: Kafka
    elasticsearch: Elasticsearch

    def programs(self) -> list[Program]:
        """The two programs; neither waits for the other."""
        kafka, elasticsearch = self.kafka, self.elasticsearch
        return [
            Program("kafka", kafka.command(), lambda: ports.answers(kafka.port)),
            Program(
                "elasticsearch",
                elasticsearch.command(),
                lambda: answers_ok(f"{elasticsearch.url}/_cluster/health?wait_for_status=yellow"),
            ),
        ]


def prepare(home: Path, kafka: tuple[int, int], elasticsearch: tuple[int, int]) -> Servers:
    """Fetch what is missing and set both servers up below ``home``.

    Args:
        home: the folder that holds their data.
        kafka: the broker's and the controller's port.
        elasticsearch: the HTTP and the transport port.

    Raises:
        StackError: an archive cannot be fetched, or Kafka cannot format its storage.
    """
    archives = jars.fetch()
    servers = Servers(
        Kafka(home / "kafka", archives["kafka"], *kafka),
        Elasticsearch(home / "elasticsearch", archives["elasticsearch"], *elasticsearch),
    )
    servers.kafka.prepare()
    servers.elasticsearch.prepare()
    return servers


def answers_ok(url: str) -> bool:
    """Whether the address answers with a 2xx."""
    try:
        return 200 <= _HTTP.request("GET", url).status < 300
    except urllib3.exceptions.HTTPError:
        return False
