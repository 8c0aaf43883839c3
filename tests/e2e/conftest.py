"""The whole system, started once on the run's Kafka and Elasticsearch."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from local import ports
from local.servers import Servers
from local.services import USER, Services
from local.supervisor import clean_environment, supervisor


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
    """A key of the demo user's, as an operator makes one."""
    make = (
        "from gateway.keys import issue_key; from gateway.models import User;"
        f" print(issue_key(User.objects.get(username={USER!r}), 'vendor')[1])"
    )
    command = [sys.executable, "-m", "gateway", "shell", "--no-imports", "--command", make]
    environment = clean_environment(services.environment())
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
