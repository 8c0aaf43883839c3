"""Typical clients and queries, for what weighs events."""

import random
from collections.abc import Sequence

AGENTS = (
    "curl/8.14.1",
    "python-requests/2.32.5",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
)
QUERIES = (
    "Hostname = web-{site}-{number:04}",
    "Hostname = {word}* AND NOT OS.Type in (Windows, macOS)",
    "Ip = 10.{octet}.0.0/16 AND Managed = true",
    "Site = {site} AND OS.Type = Linux AND LastSeen >= now-{octet}d/d",
    "Adapters = active-directory AND (Hostname = {word}* OR IpAddresses ~ 192.{octet})",
    "Software:{{ Name = openssl AND Version = {octet}.* }} AND RiskScore > 7 AND Owner IN (platform, network)",
    "Hostnme = {word}*",
)
"""The last is rejected, as some are."""


def written_query(dice: random.Random, forms: Sequence[str]) -> str:
    """Write a query of one of some forms, with values by chance."""
    return dice.choice(forms).format(
        site=dice.choice(("ank", "ist", "lon")),
        number=dice.randrange(10_000),
        word=dice.choice(("octoxlabs", "db", "app", "srv")),
        octet=dice.randrange(1, 255),
    )
