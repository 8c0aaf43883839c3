"""`python -m elastic erase`, against the real Elasticsearch."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from elastic.bootstrap import bootstrap
from elastic.client import connect
from elastic.command_line import main
from elastic.erase import ERASURES, Person, find
from elastic.settings import ElasticsearchSettings
from local import ports
from tests.support.query_event import Changes

_DAYS = ("query-logs-2001.05.01", "query-logs-2001.05.02")
_MANY = 1_200
_USER, _OTHER, _ADDRESS = "ayşe.the-erased", "ayşe.the-kept", "fd00::e1"


@pytest.fixture
def client(elasticsearch_url: str, changes: Changes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elasticsearch]:
    """A trail of two days: more documents of one person than fit a request, and some of another."""
    del changes
    monkeypatch.setenv("ELASTICSEARCH_URL", elasticsearch_url)
    with connect(ElasticsearchSettings(url=elasticsearch_url), request_timeout=30.0) as connected:
        bootstrap(connected)
        connected.indices.delete(index=ERASURES, ignore_unavailable=True)  # which other tests may have left
        documents = [(_DAYS[0], _USER, "10.9.9.1")] * _MANY + [(_DAYS[1], _USER, _ADDRESS)] * 3
        documents += [(_DAYS[1], _OTHER, _ADDRESS)] * 2 + [(_DAYS[1], _OTHER, "10.9.9.2")]
        actions = (
            {"_index": day, "@timestamp": f"{day[-10:].replace('.', '-')}T00:00:00Z"}
            | {"user": {"name": name}, "source": {"ip": address}, "sluice": {"query": f"Owner = {_USER}"}}
            for day, name, address in documents
        )
        bulk(connected, actions)
        yield connected
        for index in (*_DAYS, ERASURES):
            connected.indices.delete(index=index, ignore_unavailable=True)


def _accounts(client: Elasticsearch) -> list[dict[str, Any]]:
    client.indices.refresh(index=ERASURES)
    return [hit["_source"] for hit in client.search(index=ERASURES, sort="@timestamp")["hits"]["hits"]]


def test_without_delete_it_counts_by_day_and_changes_nothing(
    client: Elasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["erase", "--user", _USER]) == 0
        assert capsys.readouterr().out.splitlines() == [
            f"{_DAYS[0]}  {_MANY}",
            f"{_DAYS[1]}  3",
            f"found {_MANY + 3} documents in 2 indices; --delete REASON deletes them",
        ]
    assert not client.indices.exists(index=ERASURES)


def test_it_deletes_all_of_one_user_and_nothing_of_another(
    client: Elasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    for deleted in (_MANY + 3, 0):
        assert main(["erase", "--user", _USER, "--delete", "request 17"]) == 0
        assert capsys.readouterr().out == f"deleted {deleted} documents\n"
    assert find(client, Person("user.name", _USER)) == {}
    assert find(client, Person("user.name", _OTHER)) == {_DAYS[1]: 3}


def test_it_deletes_what_came_from_an_address_however_that_is_written(
    client: Elasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["erase", "--address", "FD00:0:0::00E1", "--delete", "request 18"]) == 0
    assert capsys.readouterr().out == "deleted 5 documents\n"
    assert find(client, Person("user.name", _USER)) == {_DAYS[0]: _MANY}


def test_a_name_is_found_however_its_letters_are_composed(
    client: Elasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    del client
    assert main(["erase", "--user", unicodedata.normalize("NFD", _USER)]) == 0
    assert f"found {_MANY + 3} documents" in capsys.readouterr().out


def test_it_leaves_an_account_that_does_not_say_whose_they_were(client: Elasticsearch) -> None:
    assert main(["erase", "--user", _USER, "--delete", "request 17"]) == 0
    (account,) = _accounts(client)
    assert account.pop("@timestamp")
    assert account == {
        "event": {"action": "audit.erased", "outcome": "success", "reason": "request 17"},
        "sluice": {"field": "user.name", "indices": [*_DAYS], "found": _MANY + 3, "deleted": _MANY + 3},
    }
    assert _USER not in json.dumps(account, ensure_ascii=False)


def test_an_erasure_is_on_the_trail_without_the_name(client: Elasticsearch, changes: Changes) -> None:
    assert main(["erase", "--user", _USER]) == 0
    assert main(["erase", "--user", _USER, "--delete", "request 17"]) == 0
    (change,) = changes()
    assert change.startswith(f"erase {_MANY + 3} documents of the audit trail by user.name: request 17 (account ")
    assert len(_accounts(client)) == 1


def test_without_kafka_nothing_is_erased_and_what_to_do_is_said(
    client: Elasticsearch, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("contracts.query_event.command._SECONDS", 1.0)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{ports.free(1)[0]}")
    assert main(["erase", "--user", _USER, "--delete", "request 17"]) == 1
    assert capsys.readouterr().err.startswith(
        "nothing was changed, as the audit trail cannot be written: Kafka at 127."
    )
    assert sum(find(client, Person("user.name", _USER)).values()) == _MANY + 3
    assert not client.indices.exists(index=ERASURES)


def test_documents_that_cannot_be_deleted_are_told_and_on_the_account(
    client: Elasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    client.indices.put_settings(index=_DAYS[1], settings={"index.blocks.write": True})
    assert main(["erase", "--user", _USER, "--delete", "request 19"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{_MANY} deleted, 3 refused, the first in {_DAYS[1]}: ")
    assert len(said.splitlines()) == 1
    (account,) = _accounts(client)
    assert (account["event"]["outcome"], account["sluice"]["deleted"]) == ("failure", _MANY)


def test_a_closed_index_is_named_and_nothing_is_deleted(
    client: Elasticsearch, capsys: pytest.CaptureFixture[str]
) -> None:
    client.indices.close(index=_DAYS[1])
    try:
        for arguments in ([], ["--delete", "request 20"]):
            assert main(["erase", "--user", _USER, *arguments]) == 1
            assert capsys.readouterr().err == f"open these indices first, they are closed: {_DAYS[1]}\n"
    finally:
        client.indices.open(index=_DAYS[1])
    assert sum(find(client, Person("user.name", _USER)).values()) == _MANY + 3


@pytest.mark.parametrize("name", ["nobody", "*", "ayşe", "user.name:*"])
def test_a_person_who_is_not_on_the_trail_is_nothing_to_find(
    client: Elasticsearch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    del client
    assert main(["erase", "--user", name]) == 0
    assert capsys.readouterr().out == "found 0 documents in 0 indices; --delete REASON deletes them\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--user", ""],
        ["--user", "\udcff"],
        ["--address", "10.0.0.0/8"],
        ["--address", "*"],
        ["--user", "a", "--address", "10.0.0.1"],
        ["--user", "a", "--delete", ""],
        ["--user", "a", "--delete", "x" * 1_001],
    ],
)
def test_arguments_without_a_single_person_or_a_reason_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["erase", *arguments])
    assert ended.value.code == 2
