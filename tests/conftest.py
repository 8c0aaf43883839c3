"""Parts of every test: Django's settings, and the real servers."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest
from joserfc.jwk import RSAKey
from xdist.scheduler import LoadFileScheduling

from local import ports, servers
from local.supervisor import supervisor
from tests.support.logging_state import logging_restored

# Django reads them at import, before any fixture could set them.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
os.environ.setdefault("GATEWAY_SECRET_KEY", "a key that only the tests know, long enough for Django's checks")
# All tests together are one user at one address.
os.environ.setdefault("GATEWAY_USER_RATE", "100000/second")
os.environ.setdefault("GATEWAY_TYPING_RATE", "100000/second")
os.environ.setdefault("GATEWAY_ADDRESS_RATE", "100000/second")
# The servers live for minutes at most, and most of their start is otherwise spent on code that is optimized for hours.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
os.environ.setdefault("GATEWAY_JWT_KEYS", RSAKey.generate_key(2048).as_pem(private=True).decode())
# Before any other conftest, which may import models, and before pytest-django looks whether it is.
django.setup()
# Every run draws others; `make fuzz` is for the long search.
hypothesis.settings.register_profile("tests", max_examples=50, deadline=None)
hypothesis.settings.load_profile("tests")


_TESTS = Path(__file__).parent
_LONGEST_FIRST = ("e2e", "integration", "contract", "unit")


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """Keep what a test configures of logging, and its streams, from the tests after it."""
    with logging_restored():
        yield


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Servers]:
    """Real Kafka and Elasticsearch, started once for the whole run."""
    home = tmp_path_factory.mktemp("embedded")
    free = ports.free(4)
    prepared = servers.prepare(home, (free[0], free[1]), (free[2], free[3]))
    programs = prepared.programs()
    with supervisor(home, programs, {}) as running:
        running.start(*programs)
        yield prepared


@pytest.fixture(scope="session")
def kafka_bootstrap(embedded: servers.Servers) -> str:
    """The broker's ``host:port``."""
    return embedded.kafka.bootstrap_servers


@pytest.fixture(scope="session")
def elasticsearch_url(embedded: servers.Servers) -> str:
    """The cluster's address."""
    return embedded.elasticsearch.url


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """A file is for one worker, and so is all of ``e2e``: its files share one running system."""

    def _split_scope(self, nodeid: str) -> str:
        return "e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling | None:
    """Share the tests among workers, where they are shared by files."""
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run files of long tests first, shuffled as they were; short ones keep all workers busy to the end."""
    items.sort(key=lambda item: _LONGEST_FIRST.index(item.path.relative_to(_TESTS).parts[0]))


def pytest_unconfigure() -> None:
    """Silence the last threads, a Kafka client above all: their log is not taken any more."""
    logging.disable()
