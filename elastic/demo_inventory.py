"""The demo inventory: generated devices, the same at every run."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address
from typing import Any

GENERATED = 1_000
MAX_GENERATED = 1_000_000
"""The addresses below 10.0.0.0/8 that devices are given would end at 1.5 million."""
NAMED = 12

Device = dict[str, Any]

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

_SERVERS = (("Dell", "PowerEdge R760"), ("HPE", "ProLiant DL380"))
_LAPTOPS = (("Lenovo", "ThinkPad T14"), ("Dell", "Latitude 7450"))
_PLATFORMS = (
    ("Windows", "Windows 11 Enterprise", ("10.0.22631", "10.0.26100"), "wks", _LAPTOPS),
    ("Windows", "Windows Server 2022", ("10.0.20348",), "srv", _SERVERS),
    ("Linux", "Debian", ("12.9", "13.2"), "web", _SERVERS),
    ("Linux", "Ubuntu", ("22.04", "24.04"), "app", _SERVERS),
    ("Linux", "Red Hat Enterprise Linux", ("8.10", "9.5"), "db", _SERVERS),
    ("macOS", "macOS", ("14.7", "15.4"), "mac", (("Apple", "MacBook Pro"),)),
)
_ADAPTERS = ("active-directory", "crowdstrike", "intune", "nessus", "vmware", "aws-ec2", "sccm", "jamf")
_SOFTWARE = {
    "nginx": ("1.18", "1.26.2", "1.27.3"),
    "openssl": ("1.1.1w", "3.0.15", "3.4.0"),
    "postgresql": ("14.15", "16.6", "17.2"),
    "chrome": ("130.0", "131.0"),
    "log4j": ("2.14.1", "2.24.3"),
    "python": ("3.9.21", "3.11.11", "3.13.1"),
}
_SITES = ("ankara", "istanbul", "london", "frankfurt", "austin")
_OWNERS = ("platform", "network", "finance", "research", "support")
_ENVIRONMENTS = ("prod", "staging", "dev")


def devices(generated: int = GENERATED) -> Iterator[Device]:
    """The whole inventory: ``octoxlabs01`` and its like first, then as many generated ones."""
    # Seeded and in a fixed order: the same devices at every run and on every machine.
    rng = random.Random("sluice demo inventory")
    for number in range(1, NAMED + 1):
        yield _device(rng, f"octoxlabs{number:02}", f"10.20.0.{number}")
    for number in range(1, generated + 1):
        site, host = rng.randint(21, 29), number % 62_500
        address = f"10.{site + 9 * (number // 62_500)}.{host // 250}.{host % 250 + 1}"
        yield _device(rng, None, address, number)


def _device(rng: random.Random, hostname: str | None, address: str, number: int = 0) -> Device:
    os_type, distribution, versions, role, hardware = rng.choice(_PLATFORMS)
    vendor, model = rng.choice(hardware)
    site = rng.choice(_SITES)
    first_seen = _EPOCH + timedelta(minutes=rng.randrange(180 * 24 * 60))
    last_seen = first_seen + timedelta(minutes=rng.randrange(120 * 24 * 60))
    return {
        "Hostname": hostname or f"{role}-{site[:3]}-{number:04}",
        "Ip": [address],
        "IpAddresses": [address, _ipv6(rng.randrange(1, 0xFFFF), number + 1)],
        "MacAddresses": [":".join(f"{rng.randrange(256):02x}" for _ in range(6))],
        "Adapters": sorted(rng.sample(_ADAPTERS, rng.randint(1, 3))),
        "OS": {"Type": os_type, "Distribution": distribution, "Version": rng.choice(versions)},
        "Hardware": {
            "Vendor": vendor,
            "Model": model,
            "Serial": f"{rng.randrange(16**8):08X}",
            "Cores": rng.choice((4, 8, 16, 32)),
            "MemoryGb": rng.choice((8.0, 16.0, 31.5, 64.0, 128.0)),
        },
        "Software": [
            {"Name": name, "Version": rng.choice(_SOFTWARE[name])}
            for name in sorted(rng.sample(sorted(_SOFTWARE), rng.randint(1, 4)))
        ],
        "Owner": rng.choice(_OWNERS),
        "Site": site,
        "Labels": {"env": rng.choice(_ENVIRONMENTS), "tier": str(rng.randint(1, 3))},
        "Description": f"{distribution} {role} host of the {site} site",
        "Managed": rng.random() < 0.8,
        "RiskScore": round(rng.uniform(0, 10), 1),
        "FirstSeen": first_seen.isoformat().replace("+00:00", "Z"),
        "LastSeen": last_seen.isoformat().replace("+00:00", "Z"),
    }


def _ipv6(network: int, host: int) -> str:
    return str(IPv6Address(0xFD00 << 112 | network << 96 | host))
