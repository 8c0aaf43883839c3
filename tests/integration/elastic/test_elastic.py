"""Bootstrap, against the real Elasticsearch."""

from datetime import UTC, datetime, timedelta

import pytest

from elastic.bootstrap import bootstrap, templates
from elastic.client import connect
from elastic.command_line import main
from elastic.settings import ElasticsearchSettings
from tests.support.query_event import Changes


def test_every_template_is_installed_as_it_stands_in_its_file(elasticsearch_url: str) -> None:
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        bootstrap(client)
        for name, template in templates().items():
            installed = client.indices.get_index_template(name=name)["index_templates"][0]["index_template"]
            assert installed["index_patterns"] == template["index_patterns"]
            assert installed["template"]["mappings"] == template["template"]["mappings"]


def test_the_command_line_says_what_it_did(
    elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", elasticsearch_url)
    assert main(["bootstrap"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "installed index templates: audit-erasures, devices, inventory-progress, query-logs; "
        "this cluster deletes no audit logs by " + "itself: python -m elastic prune --keep-days N",
    ]


def test_a_new_daily_index_has_as_many_shards_as_bootstrap_was_told(
    elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", elasticsearch_url)
    index = "query-logs-2001.03.01"
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        for arguments, shards in ((["--shards", "3"], "3"), ([], "1")):
            assert main(["bootstrap", *arguments]) == 0
            client.indices.create(index=index)
            try:
                made = client.indices.get_settings(index=index)[index]["settings"]["index"]
            finally:
                client.indices.delete(index=index)
            assert made["number_of_shards"] == shards


def test_bootstrap_gives_new_fields_to_the_days_of_the_trail_that_are_there(elasticsearch_url: str) -> None:
    index = "query-logs-2001.04.01"
    properties = templates()["query-logs"]["template"]["mappings"]["properties"]
    known = {"@timestamp": properties["@timestamp"], "sluice": {"properties": {"hits": {"type": "long"}}}}
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        client.indices.create(index=index, mappings={"dynamic": "strict", "properties": known})
        try:
            bootstrap(client)
            assert client.indices.get_mapping(index=index)[index]["mappings"]["properties"] == properties
        finally:
            client.indices.delete(index=index)


def test_prune_deletes_days_before_the_last_n_and_nothing_else(
    elasticsearch_url: str, changes: Changes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", elasticsearch_url)
    today = datetime.now(UTC).date()
    kept = [f"query-logs-{today - timedelta(days=30):%Y.%m.%d}", "query-logs-2001.02.30", "query-logs-other-2001.01.01"]
    old = ["query-logs-2001.01.01", f"query-logs-{today - timedelta(days=31):%Y.%m.%d}"]
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        for name in kept + old:
            client.indices.create(index=name)
        try:
            for said in (f"deleted 2 indices: {', '.join(old)}\n", "deleted 0 indices\n"):
                assert main(["prune", "--keep-days", "30"]) == 0
                assert capsys.readouterr().out == said
            assert [client.indices.exists(index=name).body for name in kept + old] == [True, True, True, False, False]
            assert changes() == [f"prune the audit trail: 2 days, 2001-01-01 to {today - timedelta(days=31)}"]
        finally:
            for name in kept:
                client.indices.delete(index=name)
