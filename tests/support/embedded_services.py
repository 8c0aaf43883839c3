"""The services on ports that are free."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from local.servers import Servers
from local.services import Services

SERVICE_PORTS = 8
_Services = TypeVar("_Services", bound=Services)


def services_on(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # those of the services
    kind: type[_Services],
    home: Path,
    base: Servers,
    free: Sequence[int],
    own: Mapping[str, str] | None = None,
    devices: int = 1_000,
) -> _Services:
    """Make the services, each with one of ``SERVICE_PORTS`` ports."""
    gateway, translator, sink, indexer, worker, provider, live, live_metrics = free
    ports = (gateway, translator, sink, indexer, worker, provider, live, live_metrics)
    return kind(home, base, *ports, own=own or {}, devices=devices)
