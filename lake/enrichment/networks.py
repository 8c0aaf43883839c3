"""Network, country and organisation of an address, by the operator's MMDB files.

https://maxmind.github.io/MaxMind-DB/. A file is read into memory: a mapped one that is cut while it is used ends the
process.
"""

import ipaddress
import logging
import os
import struct
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb

from lake.metrics import ENRICHMENT_FAILURES

logger = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 30.0
_KEPT = 65_536
_PREFIX = {4: 24, 6: 48}
_BROKEN = (maxminddb.InvalidDatabaseError, ValueError, LookupError, TypeError, struct.error, RecursionError, OSError)
"""Errors of a reader whose file is not what it says."""


class Origin(NamedTuple):
    """A client's network (/24, or /48 of IPv6), the ISO code of its country, and the organisation that has it."""

    network: str | None = None
    country: str | None = None
    organisation: str | None = None


class Networks:  # pylint: disable=too-few-public-methods  # `of` is one, made of a private one
    """Looks addresses up; a file that is missing or broken is counted and logged once, and stops nothing.

    Args:
        paths: the files; where two know the same, the first says it.
        clock: seconds of any steady clock.
    """

    name = "mmdb"

    def __init__(self, paths: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self.is_used = bool(paths)
        self._files = [_File(path) for path in paths]
        self._clock = clock
        self._next_look = 0.0
        self.of = lru_cache(maxsize=_KEPT)(self._find)
        self.refresh()

    def refresh(self) -> None:
        """Open the files that have changed; looks at most every 30 seconds."""
        if self._clock() < self._next_look:
            return
        self._next_look = self._clock() + _LOOK_EVERY_SECONDS
        changed = [file.refresh() for file in self._files]
        if any(changed):
            self.of.cache_clear()

    def _find(self, address: str) -> Origin:
        parsed = ipaddress.ip_address(address)
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        network = ipaddress.ip_network((parsed, _PREFIX[parsed.version]), strict=False)
        country = organisation = None
        for file in self._files:
            found = file.find(parsed)
            country = country or _country(found)
            organisation = organisation or _organisation(found)
        return Origin(str(network), country, organisation)


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._reader: maxminddb.Reader | None = None
        self._is_broken = False

    def refresh(self) -> bool:
        """Open the file if it is another than before; whether it is."""
        try:
            found = os.stat(self._path)
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen == self._seen:
                return False
            self._seen = seen
            self._reader = maxminddb.open_database(self._path, maxminddb.MODE_MEMORY)
            self._is_broken = False
            logger.info("%s: opened", self._path)
        except _BROKEN as error:
            # What was read before is better than nothing.
            self._complain(error)
            return False
        return True

    def find(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> dict[str, Any]:
        """The entry of an address; empty if there is none."""
        if self._reader is None:
            return {}
        try:
            # A file of IPv4 alone refuses other addresses.
            found = self._reader.get(address) if address.version <= self._reader.metadata().ip_version else None
        except _BROKEN as error:
            self._complain(error)
            return {}
        return found if isinstance(found, dict) else {}

    def _complain(self, error: Exception) -> None:
        ENRICHMENT_FAILURES.labels(Networks.name).inc()
        if not self._is_broken:
            self._is_broken = True
            logger.error("%s cannot be read, so that its columns stay as they are or empty: %s", self._path, error)


def _country(entry: dict[str, Any]) -> str | None:
    """The country's code, as MaxMind and DB-IP have it, or IPinfo."""
    country = entry.get("country")
    return _text(country.get("iso_code") if isinstance(country, dict) else entry.get("country_code"))


def _organisation(entry: dict[str, Any]) -> str | None:
    return _text(entry.get("autonomous_system_organization") or entry.get("organization") or entry.get("as_name"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
