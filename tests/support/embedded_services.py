"""The services on ports that are free, and commands beside them."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from local.servers import Servers
from local.services import Services
from local.supervisor import clean_environment

SERVICE_PORTS = 9
_Services = TypeVar("_Services", bound=Services)


def services_on(  # pylint: disable=too-many-arguments,too-many-positional-arguments,too-many-locals  # the services'
    kind: type[_Services],
    home: Path,
    base: Servers,
    free: Sequence[int],
    own: Mapping[str, str] | None = None,
    devices: int = 1_000,
) -> _Services:
    """Make the services, each with one of ``SERVICE_PORTS`` ports."""
    gateway, translator, sink, indexer, worker, provider, live, live_metrics, lake = free
    ports = (gateway, translator, sink, indexer, worker, provider, live, live_metrics, lake)
    return kind(home, base, *ports, own=own or {}, devices=devices)


def run_gateway(services: Services, *arguments: str) -> None:
    """Run a command of the gateway beside the running services, which has to succeed.

    Raises:
        CalledProcessError: it does not.
    """
    command = [sys.executable, "-m", "gateway", *arguments]
    subprocess.run(command, env=clean_environment(services.environment()), check=True, capture_output=True)
