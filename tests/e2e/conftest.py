"""The whole system, started once on the run's Kafka and Elasticsearch."""

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from local import inventory, ports
from local.servers import Servers
from local.services import Services
from local.supervisor import clean_environment, supervisor
from tests.support.api_key import make_api_key
from tests.support.embedded_services import SERVICE_PORTS, run_gateway, services_on
from tests.support.waiting import eventually


@pytest.fixture(scope="package")
def services(embedded: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The services as `make run` starts them, with its inventory."""
    home = tmp_path_factory.mktemp("services")
    started = services_on(Services, home, embedded, ports.free(SERVICE_PORTS))
    programs = [*started.programs(), started.lake()]
    with supervisor(home, programs, started.environment()) as running:
        started.prepare()
        running.start(*programs)
        inventory.wait(started)
        yield started


@pytest.fixture(scope="package")
def api_key(services: Services) -> str:
    """A key of the demo user's."""
    return make_api_key(clean_environment(services.environment()))


@pytest.fixture(scope="package")
def delivery(services: Services) -> str:
    """The id of a delivery: a webhook that is refused, as its host is in the inner network."""

    def ask(method: str, path: str, user: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Octoxlabs {user}"}
        answer = urllib3.request(
            method, f"{services.gateway_url}{path}", json=body, headers=headers, retries=False, timeout=30.0
        )
        assert answer.status in (200, 201), answer.data
        return answer.json()

    run_gateway(services, "user", "listener", "--write", "service")
    listener, operator = "bGlzdGVuZXI=", "b2N0b09wZXJhdG9y"
    webhook = f"https://localhost:{ports.free(1)[0]}/"
    made = ask("POST", "/subscriptions", listener, {"type": "service", "webhook": webhook})
    assert made["secret"]
    ask("PUT", "/inventory/service/told-of", operator, {"name": "Told of"})

    def refused() -> str | None:
        waiting = ask("GET", "/deliveries?state=pending", operator)["deliveries"]
        return next((str(each["id"]) for each in waiting if each["error"]), None)

    return eventually(refused, "the webhook is refused")
