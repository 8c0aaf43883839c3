"""The whole system, started once on the run's Kafka and Elasticsearch."""

from collections.abc import Iterator

import pytest

from local import inventory, ports
from local.servers import Servers
from local.services import Services
from local.supervisor import clean_environment, supervisor
from tests.support.api_key import make_api_key


@pytest.fixture(scope="session")
def services(embedded: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The services as `make run` starts them, with its inventory."""
    home = tmp_path_factory.mktemp("services")
    gateway, translator, sink, indexer, worker = ports.free(5)
    started = Services(home, embedded, gateway, translator, sink, indexer, worker)
    programs = started.programs()
    with supervisor(home, programs, started.environment()) as running:
        started.prepare()
        running.start(*programs)
        inventory.wait(started)
        yield started


@pytest.fixture(scope="session")
def api_key(services: Services) -> str:
    """A key of the demo user's."""
    return make_api_key(clean_environment(services.environment()))
