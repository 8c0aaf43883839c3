"""The services as an operator watches them: once with tracing and lines for machines, once where nothing is up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from elastic.bootstrap import bootstrap
from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from local import ports
from tests.integration.telemetry.stack import Stack, running_services
from tests.support.demo_index import seed
from tests.support.gateway import INDEX
from tests.support.otlp_collector import Collector, collector


@pytest.fixture(scope="package")
def spans() -> Iterator[Collector]:
    """The spans that the services export."""
    with collector() as kept:
        yield kept


@pytest.fixture(scope="package")
def traced(
    spans: Collector, kafka_bootstrap: str, elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Everything is up, tracing is on, and the lines are JSON."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": spans.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=sluice",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "GATEWAY_LOG_FORMAT": "ecs",
        "TRANSLATOR_LOG_FORMAT": "ecs",
        "AUDIT_SINK_LOG_FORMAT": "ecs",
    }
    with _served(tmp_path_factory.mktemp("traced"), kafka_bootstrap, elasticsearch_url, variables) as stack:
        yield stack


@pytest.fixture(scope="package")
def forsaken(kafka_bootstrap: str, elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The services see neither Kafka nor a collector, and the lines are for people."""
    nowhere = f"127.0.0.1:{ports.free(1)[0]}"
    variables = {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{nowhere}",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "KAFKA_BOOTSTRAP_SERVERS": nowhere,
    }
    with _served(tmp_path_factory.mktemp("forsaken"), kafka_bootstrap, elasticsearch_url, variables) as stack:
        yield stack


@contextmanager
def _served(home: Path, kafka_bootstrap: str, elasticsearch_url: str, variables: dict[str, str]) -> Iterator[Stack]:
    """The services with these variables, over the demo inventory."""
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        bootstrap(client)
        seed(client, INDEX)
        with running_services(home, kafka_bootstrap, client, elasticsearch_url, **variables) as stack:
            yield stack
