"""Bootstrap and seed, against the real Elasticsearch."""

import pytest

from elastic.__main__ import main
from elastic.bootstrap import bootstrap, templates
from elastic.client import connect
from elastic.seed import GENERATED, NAMED, seed
from elastic.settings import ElasticsearchSettings


def test_every_template_is_installed_as_it_stands_in_its_file(elasticsearch_url: str) -> None:
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        assert bootstrap(client) == sorted(templates())
        for name, template in templates().items():
            installed = client.indices.get_index_template(name=name)["index_templates"][0]["index_template"]
            assert installed["index_patterns"] == template["index_patterns"]
            assert installed["template"]["mappings"] == template["template"]["mappings"]


def test_the_inventory_has_the_templates_types_and_a_second_seed_changes_nothing(elasticsearch_url: str) -> None:
    with connect(ElasticsearchSettings(url=elasticsearch_url)) as client:
        bootstrap(client)
        for _ in range(2):
            assert seed(client, "devices-seeded") == GENERATED + NAMED
            assert client.count(index="devices-seeded")["count"] == GENERATED + NAMED
        mapping = client.indices.get_mapping(index="devices-seeded")["devices-seeded"]["mappings"]
        assert mapping["dynamic"] == "strict"
        assert mapping["properties"] == templates()["devices"]["template"]["mappings"]["properties"]


def test_the_command_line_says_what_it_did(
    elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", elasticsearch_url)
    assert main(["bootstrap"]) == 0
    assert main(["seed"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"installed index templates: {', '.join(sorted(templates()))}",
        f"wrote {GENERATED + NAMED} devices",
    ]
