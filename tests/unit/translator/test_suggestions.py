"""Names that were perhaps meant, on mappings as they are."""

import pytest

from translator.suggestions import suggest

_PATHS = [
    *("@timestamp", "process.code_signature.timestamp", "wazuh.agent.id", "wazuh.agent.name"),
    *("host.os.type", "host.type", "dns.type", "Hostname", "HostnameShort", "OwnerTeam.Name", "Software.Name"),
]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("timestamp", "@timestamp"),
        ("agent.id", "wazuh.agent.id"),
        ("os.type", "host.os.type"),
        ("server.os.type", "host.os.type"),
        ("Host", "Hostname"),
        ("Hostnme", "Hostname"),
        ("Hostname.keyword", "Hostname"),
        ("agent.name.keyword", "wazuh.agent.name"),
        ("host_name", "Hostname"),
        ("machine.type", "dns.type"),
    ],
)
def test_the_likeliest_field_is_suggested_first(name: str, first: str) -> None:
    assert suggest(name, "", _PATHS)[0] == first


def test_an_absolute_name_in_a_scope_becomes_relative() -> None:
    assert suggest("Software.Name", "Software.", _PATHS) == ("Name",)


def test_a_scope_suggests_only_what_is_in_it() -> None:
    assert suggest("Nam", "Software.", _PATHS) == ("Name",)


@pytest.mark.parametrize("name", ["", "zzzzzzzzzz", "x" * 1000, "qqq.qqq.qqq"])
def test_a_name_that_resembles_no_other_has_no_suggestion(name: str) -> None:
    assert not suggest(name, "", _PATHS)
