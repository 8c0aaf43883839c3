"""Networks, countries and organisations of addresses."""

import logging
from pathlib import Path

import pytest

from lake.enrichment.networks import Networks, Origin
from lake.metrics import ENRICHMENT_FAILURES
from tests.support.mmdb import write_mmdb

_COUNTRY = {"country": {"iso_code": "TR"}}
_ORGANISATION = {"autonomous_system_organization": "Example Networks"}


class _Clock:  # pylint: disable=too-few-public-methods  # it is called
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _failures() -> float:
    [family] = ENRICHMENT_FAILURES.collect()
    return sum(each.value for each in family.samples if each.labels.get("source") == "mmdb" and "total" in each.name)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
    ],
)
def test_an_address_is_known_by_its_network_without_any_file(address: str, network: str) -> None:
    assert Networks(()).of(address) == Origin(network)


def test_files_are_asked_in_turn(tmp_path: Path) -> None:
    paths = [
        write_mmdb(tmp_path / "country.mmdb", {"192.0.2.0/24": _COUNTRY}),
        write_mmdb(tmp_path / "asn.mmdb", {"192.0.0.0/16": _ORGANISATION}),
    ]
    networks = Networks(paths)

    assert networks.of("192.0.2.1") == Origin("192.0.2.0/24", "TR", "Example Networks")
    assert networks.of("192.0.3.1") == Origin("192.0.3.0/24", None, "Example Networks")
    assert networks.of("198.51.100.1") == Origin("198.51.100.0/24")


def test_flat_entries_are_read_too(tmp_path: Path) -> None:
    path = write_mmdb(tmp_path / "lite.mmdb", {"192.0.2.0/24": {"country_code": "DE", "as_name": "Example"}})

    assert Networks([path]).of("192.0.2.1") == Origin("192.0.2.0/24", "DE", "Example")


def test_a_file_that_is_missing_is_said_once_and_taken_when_it_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock, before = tmp_path / "country.mmdb", _Clock(), _failures()
    with caplog.at_level(logging.ERROR):
        networks = Networks([path], clock)
        clock.now = 31.0
        networks.refresh()
    assert (len(caplog.records), _failures() - before) == (1, 2)
    assert networks.of("192.0.2.1").country is None

    write_mmdb(path, {"192.0.2.0/24": _COUNTRY})
    networks.refresh()
    assert networks.of("192.0.2.1").country is None, "it is looked for now and then"
    clock.now = 62.0
    networks.refresh()
    assert networks.of("192.0.2.1").country == "TR"


def test_a_file_that_is_cut_while_it_is_used_changes_nothing(tmp_path: Path) -> None:
    path, clock, before = tmp_path / "country.mmdb", _Clock(), _failures()
    write_mmdb(path, {"192.0.2.0/24": _COUNTRY})
    networks = Networks([path], clock)
    path.write_bytes(path.read_bytes()[:100])
    clock.now = 31.0
    networks.refresh()

    assert networks.of("192.0.2.1").country == "TR"
    assert _failures() - before == 1


def test_no_damage_to_a_file_stops_anything(tmp_path: Path) -> None:
    path = write_mmdb(tmp_path / "country.mmdb", {"192.0.2.0/24": _COUNTRY, "2001:db8::/32": _ORGANISATION})
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        for damaged in (whole[:position], whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :]):
            path.write_bytes(damaged)
            networks = Networks([path])
            for address in ("192.0.2.1", "2001:db8::1"):
                assert networks.of(address).network is not None
