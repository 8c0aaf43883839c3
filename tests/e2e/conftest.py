"""The whole system, started once on the run's Kafka and Elasticsearch."""

from collections.abc import Iterator

import pytest

from local import ports
from local.servers import Servers
from local.services import Services
from local.supervisor import supervisor


@pytest.fixture(scope="session")
def services(embedded: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Translator, gateway and audit sink as `make run` starts them."""
    home = tmp_path_factory.mktemp("services")
    gateway, translator, metrics = ports.free(3)
    started = Services(home, embedded, gateway, translator, metrics)
    programs = started.programs()
    with supervisor(home, programs, started.environment()) as running:
        started.prepare()
        running.start(*programs)
        yield started
