"""The demo inventory is the same at every run, and what the documentation promises is in it."""

import ipaddress

from elastic.demo_inventory import GENERATED, NAMED, devices


def test_every_run_makes_the_same_devices() -> None:
    assert list(devices()) == list(devices())


def test_there_are_a_thousand_generated_devices_and_the_named_ones() -> None:
    names = [device["Hostname"] for device in devices()]
    assert names[:NAMED] == [f"octoxlabs{number:02}" for number in range(1, NAMED + 1)]
    assert len(set(names)) == NAMED + GENERATED


def test_every_address_is_one() -> None:
    for device in devices():
        assert device["Ip"][0] == device["IpAddresses"][0]
        for address in device["IpAddresses"]:
            ipaddress.ip_address(address)
