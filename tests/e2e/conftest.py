"""The whole system, started once on the run's Kafka and Elasticsearch."""

from collections.abc import Iterator

import pytest

from local import ports
from local.servers import Servers
from local.services import Services
from local.supervisor import clean_environment, supervisor
from tests.support.api_key import make_api_key


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


@pytest.fixture(scope="session")
def api_key(services: Services) -> str:
    """A key of the demo user's."""
    return make_api_key(clean_environment(services.environment()))
