"""Documents that a translated query finds in the real Elasticsearch."""

from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from translator.catalogue import Catalogue
from translator.dsl import translate

_INDEX = "translator-search"
_KEYWORD = {"type": "keyword"}
_MAPPING: dict[str, Any] = {
    "dynamic": "strict",
    "properties": {
        "Name": _KEYWORD,
        "Path": _KEYWORD,
        "Ip": {"type": "ip", "fields": {"keyword": _KEYWORD}},
        "Gateway": {"type": "ip"},
        "Cores": {"type": "integer"},
        "Big": {"type": "long"},
        "Load": {"type": "float"},
        "Half": {"type": "half_float"},
        "Seen": {"type": "date"},
        "Precise": {"type": "date_nanos"},
        "Managed": {"type": "boolean"},
        "Notes": {"type": "text"},
        "Title": {"type": "text", "fields": {"keyword": _KEYWORD}},
        "Labels": {"type": "flattened"},
        "OS": {"properties": {"Type": _KEYWORD, "Version": _KEYWORD}},
        "Software": {
            "type": "nested",
            "properties": {
                "Name": _KEYWORD,
                "Version": _KEYWORD,
                "Files": {"type": "nested", "properties": {"Path": _KEYWORD, "Size": {"type": "long"}}},
            },
        },
        "Host": {"type": "alias", "path": "Name"},
        "Scanned": {"type": "keyword", "index": False},
        "Counted": {"type": "integer", "index": False},
        "Leased": {"type": "ip", "index": False},
        "Patched": {"type": "date", "index": False},
    },
}
_DOCUMENTS: dict[str, dict[str, Any]] = {
    "web": {
        "Name": "web01",
        "Path": "C:\\Temp\\log*",
        "Ip": ["192.168.1.10", "fe80::1"],
        "Gateway": "192.168.1.1",
        "Cores": 4,
        "Big": 9_007_199_254_740_993,
        "Load": 0.1,
        "Half": 0.1,
        "Seen": "2024-05-31T23:59:59.999Z",
        "Precise": "2024-05-03T10:00:00.123456789Z",
        "Managed": True,
        "Notes": "The quick brown Fox",
        "Title": "Quick Fox",
        "Labels": {"env": "production", "team": {"name": "Web"}},
        "OS": {"Type": "Linux", "Version": "12"},
        "Software": [
            {"Name": "nginx", "Version": "1.18", "Files": [{"Path": "/etc/nginx.conf", "Size": 10}]},
            {"Name": "curl", "Version": "8.1"},
        ],
        "Scanned": "yes",
        "Counted": 7,
        "Leased": "10.0.0.7",
        "Patched": "2024-01-01",
    },
    "db": {
        "Name": ["db01", "DB-alias"],
        "Path": 'say "hi" & #1 @x <y>',
        "Ip": "10.1.2.3",
        "Cores": 16,
        "Load": 7.5,
        "Seen": "2024-06-01T00:00:00Z",
        "Managed": False,
        "Notes": "quick notes",
        "Title": "",
        "Labels": {"env": "staging"},
        "OS": {"Type": "Windows"},
        "Software": [{"Name": "nginx", "Version": "1.20"}, {"Name": "postgres", "Version": "1.18"}],
    },
    "bare": {"Name": "or-gw01"},
    "empty": {},
}


@pytest.fixture(scope="module")
def client(client: Elasticsearch) -> Iterator[Elasticsearch]:
    """The client, and the documents."""
    client.indices.create(index=_INDEX, mappings=_MAPPING, settings={"number_of_replicas": 0})
    operations: list[dict[str, Any]] = []
    for identifier, document in _DOCUMENTS.items():
        operations += [{"create": {"_index": _INDEX, "_id": identifier}}, document]
    assert not client.bulk(operations=operations, refresh=True)["errors"]
    yield client
    client.indices.delete(index=_INDEX)


@pytest.fixture(scope="module")
def catalogue(client: Elasticsearch) -> Catalogue:
    """The fields as Elasticsearch itself has them."""
    mappings = client.indices.get_mapping(index=_INDEX)
    return Catalogue.from_mappings({name: found["mappings"] for name, found in mappings.items()})


def _found(client: Elasticsearch, query: dict[str, Any]) -> str:
    hits = client.search(index=_INDEX, query=query, source=False, size=len(_DOCUMENTS))["hits"]["hits"]
    return " ".join(identifier for identifier in _DOCUMENTS if identifier in {hit["_id"] for hit in hits})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "web db bare empty"),
        ("Name = web01", "web"),
        ("Name = web*", "web"),
        ("Name = *01", "web db bare"),
        ("Name = d?01", "db"),
        ("Name != web01", "db bare empty"),
        ("Name ~ gw", "bare"),
        ("Name = *", "web db bare"),
        ("NOT Name EXISTS", "empty"),
        ("Name IN (web01, or-gw01)", "web bare"),
        ("Name IN (web01, d*)", "web db"),
        ("Name NOT IN (web01, d*)", "bare empty"),
        ("Name IN (*, x)", "web db bare"),
        ("Name = or-gw01 OR Name = web01", "web bare"),
        ("Name >= web", "web"),
        ("Name BETWEEN o AND p", "bare"),
        ("Name = db01 AND Name = DB-alias", "db"),
        ("Name ~ /^(web|db)\\d+$/", "web db"),
        ("Name ~ /gw|^web/", "web bare"),
        ("Name !~ /[0-9]{2}/", "empty"),
        ("Host = web01", "web"),
        ("name = web01", "web"),
        ("Path = C:\\Temp\\log\\*", "web"),
        ("Path = C:\\\\Temp\\\\*", "web"),
        ('Path ~ "\\Temp\\log*"', "web"),
        ('Path ~ "log?"', ""),
        ('Path ~ /"hi" & #1 @x <y>$/', "db"),
        ('Path ~ /[#"-]/', "db"),
        ("Path ~ /\\\\Temp[\\\\]log\\*$/", "web"),
        ("Path ~ /[\\w]:\\\\/", "web"),
        ("Path ~ /^$/", ""),
        ("Title ~ /^$/", "db"),
        ("Ip = 192.168.1.10", "web"),
        ("Ip = 192.168.0.0/16", "web"),
        ("Ip = 192.168.0.0/16 OR Ip = 10.1.2.3", "web db"),
        ("Ip IN (10.0.0.0/8, fe80::/10)", "web db"),
        ("Ip = ::ffff:10.1.2.3", "db"),
        ("Ip ~ 192.168", "web"),
        ("Ip ~ /^10\\./", "db"),
        ("Ip > 10.0.0.0 AND Ip < 11.0.0.0", "db"),
        ("Ip BETWEEN fe80:: AND fe80::ff", "web"),
        ("Cores = 4", "web"),
        ("Cores IN (4, 16)", "web db"),
        ("Cores > 4", "db"),
        ("Cores NOT BETWEEN 1 AND 4", "db bare empty"),
        ("Big = 9007199254740993", "web"),
        ("Big = 9007199254740992", ""),
        ("Load = 0.1", "web"),
        ("Half = 0.1", "web"),
        ("Load >= 7.5", "db"),
        ("Seen = 2024-05", "web"),
        ("Seen = 2024-05-31", "web"),
        ("Seen = 2024-05-31T23:59:59.999Z", "web"),
        ("Seen > 2024-05", "db"),
        ("Seen <= 2024-05", "web"),
        ("Seen < 2024-06", "web"),
        ("Seen >= 2024-06-01T02:00:00+02:00", "db"),
        ("Seen IN (2023, 2024-06-01)", "db"),
        ("Seen BETWEEN 2024-05-01 AND 2024-06-01", "web db"),
        ("Seen < now-1d/d", "web db"),
        ("Seen = 2024-05-31||/d", "web"),
        ("Seen <= 9999", "web db"),
        ("Seen >= 0001", "web db"),
        ("Precise = 2024-05-03T10:00:00.123456789Z", "web"),
        ("Precise = 2024-05-03T10:00:00.123456788Z", ""),
        ("Precise = 2024-05-03T10:00:00.123", "web"),
        ("Precise < now/d", "web"),
        ("Managed = true", "web"),
        ("Managed IN (true, false)", "web db"),
        ("Managed != true", "db bare empty"),
        ('Notes = "quick brown"', "web"),
        ("Notes = fox", "web"),
        ("Notes = FO*", "web"),
        ("Notes ~ UICK", "web db"),
        ("Notes ~ /^Br.*n$/", "web"),
        ("Notes IN (fox, notes)", "web db"),
        ("Notes EXISTS", "web db"),
        ('Title = "Quick Fox"', "web"),
        ("Title = quick*", ""),
        ('Title = ""', "db"),
        ("Title ~ Fox", "web"),
        ("Title > A", "web"),
        ("Labels.env = production", "web"),
        ("Labels.env = prod*", "web"),
        ("Labels.team.name IN (Web, W*)", "web"),
        ("Labels.env < q", "web"),
        ("Labels.env EXISTS", "web db"),
        ("Labels = staging", "db"),
        ("Labels = stag*", "db"),
        ("Labels > s", "db"),
        ("Labels EXISTS", "web db"),
        ("OS EXISTS", "web db"),
        ("OS.Type IN (Linux, macOS)", "web"),
        ("Software.Name = nginx AND Software.Version = 1.18", "web db"),
        ("Software:{ Name = nginx AND Version = 1.18 }", "web"),
        ("NOT Software:{ Name = nginx AND Version = 1.18 }", "db bare empty"),
        ("Software:{ Name != nginx }", "web db"),
        ("Software.Name != nginx", "bare empty"),
        ("Software:{ Name = nginx AND NOT Version IN (1.20, 1.21) }", "web"),
        ("Software.Files.Size > 5", "web"),
        ("Software:{ Name = nginx AND Files:{ Path ~ nginx AND Size = 10 } }", "web"),
        ("Software:{ Name = curl AND Files.Size = 10 }", ""),
        ("Software:{ Files EXISTS }", "web"),
        ("Software EXISTS", "web db"),
        ("Software.Files EXISTS", "web"),
        ("Scanned = yes", "web"),
        ("Scanned = y*", "web"),
        ("Scanned = *e*", "web"),
        ("Scanned ~ /e/", "web"),
        ("Scanned > a", "web"),
        ("Scanned EXISTS", "web"),
        ("Counted = 7", "web"),
        ("Counted > 6", "web"),
        ("Leased = 10.0.0.0/24", "web"),
        ("Leased > 10.0.0.6", "web"),
        ("Patched = 2024", "web"),
    ],
)
def test_a_query_finds_the_documents_it_describes(
    client: Elasticsearch, catalogue: Catalogue, text: str, expected: str
) -> None:
    assert _found(client, translate(text, catalogue).query) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name = WEB01", "web"),
        ("Name = WEB*", "web"),
        ("Name = *eB0?", "web"),
        ("Name ~ WEB", "web"),
        ("Name ~ /^WEB/", "web"),
        ("Name IN (WEB01, Db01)", "web db"),
        ("Scanned = YES", "web"),
        ("Scanned = Y*", "web"),
        ("Title = 'quick fox'", "web"),
        ("Ip ~ FE80", "web"),
        ("Cores = 4 AND Ip = 192.168.1.10 AND Seen = 2024-05 AND Managed = true", "web"),
        ("Notes = FOX", "web"),
        ("Labels.env = PRODUCTION", "web"),
        ("Labels.env = PROD*", "web"),
        # Elasticsearch keeps a flattened field's key and value as one term, and folds both.
        ("Labels.ENV = production", "web"),
        ("Labels = STAGING", "db"),
        ("Software:{ Name = NGINX AND Version = 1.18 }", "web"),
        ("Name > a", "web db bare"),
    ],
)
def test_letter_case_does_not_count_when_that_is_asked_for(
    client: Elasticsearch, catalogue: Catalogue, text: str, expected: str
) -> None:
    assert _found(client, translate(text, catalogue, case_insensitive=True).query) == expected


def test_a_query_at_the_limits_is_accepted(client: Elasticsearch, catalogue: Catalogue) -> None:
    clauses = " OR ".join(f"Name = w*{number}" for number in range(1_024))
    assert _found(client, translate(clauses, catalogue).query) == "web"
    members = ", ".join(f"n{number}" for number in range(8_000))
    assert _found(client, translate(f"Name IN ({members}, web01)", catalogue).query) == "web"
    deep = "Name = web01"
    for level in range(12):
        deep = f"(Cores = {level} OR ({deep} AND Managed = true))"
    assert _found(client, translate(deep, catalogue).query) == "web"


@pytest.mark.parametrize(
    "left", ["Name = web01", "Name != *01", "Software.Name = curl", "Cores > 4", "Seen <= 2024-05"]
)
@pytest.mark.parametrize("right", ["Name = db01", "NOT OS EXISTS", "Software:{ Version = 1.18 }", "Ip ~ 192"])
def test_de_morgan_holds(client: Elasticsearch, catalogue: Catalogue, left: str, right: str) -> None:
    def found(text: str) -> str:
        return _found(client, translate(text, catalogue).query)

    assert found(f"NOT ({left} OR {right})") == found(f"NOT ({left}) AND NOT ({right})")
    assert found(f"NOT ({left} AND {right})") == found(f"NOT ({left}) OR NOT ({right})")
