"""The commands of docs/operations/, on the running stack: each succeeds, and one person's data is found and erased."""

import re

import orjson
import pytest
import urllib3

from contracts.query_event.command import operator
from gateway.identity.signing_keys import read_signing_keys
from local.inventory import authorization
from local.services import OPERATOR, Services
from tests.e2e.shell import commands, run
from tests.support.paths import ROOT
from tests.support.waiting import eventually

_PAGES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/operations").glob("*.md"))]
_SECTIONS: dict[str, str] = {
    heading: text
    for page in _PAGES
    for heading, text in re.findall(r"^##? (.*?)\n(.*?)(?=^##? |\Z)", page, re.MULTILINE | re.DOTALL)
}
_STEPS = {"Backup and restore", "Rotation", "One person's data"}
"""Sections whose commands have tests of their own below."""
_PERSON = "jane.doe"
_PATIENCE_SECONDS = 30


def _as(user: str) -> dict[str, str]:
    return {"Authorization": authorization(user)}


def _run(command: str, services: Services) -> str:
    result = run(command, services, **services.environment())
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


def _command(section: str, *marks: str) -> str:
    return next(command for command in commands(_SECTIONS[section]) if all(mark in command for mark in marks))


def _url(services: Services, path: str) -> str:
    return f"{services.servers.elasticsearch.url}/{path}"


def _count(query: str, services: Services) -> int | None:
    """How many documents of the trail match; None while it has no index."""
    count: int | None = urllib3.request("GET", _url(services, f"query-logs-*/_count?q={query}")).json().get("count")
    return count


def _search(user: str, query: str, services: Services) -> str:
    """Search as a user; the id of the event."""
    answer = urllib3.request("POST", f"{services.gateway_url}/search", json={"query": query}, headers=_as(user))
    assert answer.status == 200
    event_id: str = answer.json()["query_id"]
    return event_id


@pytest.fixture
def jane(services: Services) -> str:
    """A user made as the page says, who has searched, and whom another has searched for; her name."""
    _run(_command("Users", "gateway user"), services)
    searches = [_search(_PERSON, "Hostname = octoxlabs01", services)]
    searches.append(_search("octoAdmin", f"Owner = {_PERSON}", services))
    eventually(
        lambda: _count(f"event.id:({' OR '.join(searches)})", services) == len(searches),
        "the searches are in the audit index",
    )
    return _PERSON


@pytest.fixture
def laptop(services: Services) -> str:
    """A device that tells of her; its address."""
    url = f"{services.gateway_url}/inventory/device/jane-doe-laptop"
    answer = urllib3.request("PUT", url, json={"Hostname": "jane-doe-laptop"}, headers=_as(OPERATOR))
    assert answer.status == 201, answer.data
    return url


def test_every_command_of_the_other_sections_succeeds(services: Services, jane: str) -> None:
    del jane
    for name in _SECTIONS.keys() - _STEPS:
        for command in commands(_SECTIONS[name]):
            _run(command, services)


def test_a_person_is_found_everywhere_and_erased(services: Services, jane: str, laptop: str) -> None:
    section = "One person's data"
    assert re.search(r"found [1-9]\d* documents", _run(_command(section, "elastic erase --user jane.doe\n"), services))
    assert _run(_command(section, "kcat", "-t query-events -f"), services)
    for command in commands(_SECTIONS[section]):
        printed = _run(command, services)
        if "audit-erasures" in command:
            printed = printed.splitlines()[-1]
            accounts = [hit["_source"] for hit in orjson.loads(printed)["hits"]["hits"]]
            assert {account["event"]["reason"] for account in accounts} == {"data protection request 2026-017"}
            assert jane not in printed
        if "sluice.query.text" in command:
            mentions = orjson.loads(printed)["hits"]["hits"]
            # The user who searched for her, and the operator who made her known.
            assert {hit["_source"]["user"]["name"] for hit in mentions} == {"octoAdmin", operator()}
    assert _count(f"user.name:{jane}", services) == 0
    assert urllib3.request("GET", f"{services.gateway_url}/auth/me", headers=_as(jane)).status == 401
    assert urllib3.request("GET", laptop, headers=_as(OPERATOR)).status == 410


def test_a_snapshot_is_taken_and_restored_beside_what_there_is(services: Services, jane: str) -> None:
    del jane
    try:
        for command in commands(_SECTIONS["Backup and restore"]):
            printed = _run(command, services)
            if "_cat/indices" in command:
                rows = re.findall(r"^((?:restored-)?query-logs-\S+) +(\d+) ", printed, re.MULTILINE)
                trail = {name: int(count) for name, count in rows if name.startswith("query-logs-")}
                restored = {name.removeprefix("restored-"): int(count) for name, count in rows if name not in trail}
                assert restored.keys() == trail.keys()
                assert 0 < sum(restored.values()) <= sum(trail.values())
    finally:
        urllib3.request("DELETE", _url(services, "_snapshot/backup/by-hand"))
        for index in urllib3.request("GET", _url(services, "restored-*")).json():
            urllib3.request("DELETE", _url(services, index))


def test_the_keys_that_sign_are_rotated_in_three_steps(services: Services) -> None:
    file = services.home / "signing-key.pem"
    before = file.read_text(encoding="utf-8")

    def keys() -> list[str | None]:
        return [key.kid for key in read_signing_keys(file.read_text(encoding="utf-8")).keys]

    try:
        (old,) = keys()
        append, swap, drop, look = commands(_SECTIONS["Rotation"])
        _run(append, services)
        assert keys()[0] == old
        new = keys()[1]
        _run(swap, services)
        assert keys() == [new, old]
        _run(drop, services)
        assert keys() == [new]
    finally:
        file.write_text(before, encoding="utf-8")
    assert [key["kid"] for key in orjson.loads(_run(look, services))["keys"]] == [old]
