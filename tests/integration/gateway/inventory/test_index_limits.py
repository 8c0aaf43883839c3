"""Values refused before a write are those that Elasticsearch refuses."""

from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from gateway.inventory.index_limits import IndexLimits
from gateway.inventory.json_schema import Validator
from gateway.inventory.mapping import properties_of

INDEX = "values-at-the-limits"
STRING = {"type": "string"}
SCHEMA = {
    "type": "object",
    "properties": {
        "at": {**STRING, "format": "date-time"},
        "day": {**STRING, "format": "date"},
        "v4": {**STRING, "format": "ipv4"},
        "v6": {**STRING, "format": "ipv6"},
        "count": {"type": "integer"},
        "size": {"type": "number"},
        "text": STRING,
        "tags": {"type": "object", "additionalProperties": STRING},
        "list": {"type": "array", "items": {"type": "integer"}},
        "parts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"at": {**STRING, "format": "date-time"}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
_TIME = "2026-11-27T12:30:45"
VALUES: list[tuple[str, Any]] = [
    *(
        ("at", f"{_TIME}{rest}")
        for rest in ("Z", ".1Z", ".123456789Z", ".1234567890Z", "z", "+18:00", "-18:00", "+18:01")
    ),
    *(("at", f"{_TIME}{rest}") for rest in ("+23:59", "-00:00", "+05:45", "-17:59", "+19:00")),
    *(("at", value) for value in ("2016-12-31T23:59:60Z", "2026-11-27t12:30:45Z", "2026-11-27 12:30:45Z")),
    *(("at", value) for value in ("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z")),
    *(("at", value) for value in ("2000-02-29T00:00:00Z", "1900-02-28T24:00:00Z", "2026-11-27T12:30:45.Z")),
    *(("day", value) for value in ("2026-11-27", "2024-02-29", "0000-02-29", "0001-01-01", "9999-12-31")),
    *(("v4", value) for value in ("10.0.0.1", "255.255.255.255", "0.0.0.0")),
    *(("v6", value) for value in ("::", "::1", "::ffff:10.0.0.1", "2001:DB8::1", "fe80::1%eth0", "1:2:3:4:5:6:7:8")),
    *(("count", value) for value in (2**63 - 1, -(2**63), 1e30, -1e30, 9.3e18, 1.0, 1e3, 9223372036854774784.0)),
    *(("size", value) for value in (1e308, -1e308, 5e-324, 2**63 - 1, 0.1)),
    *(("text", value) for value in ("", "é" * 10_000, "x" * 40_000)),
    *(("tags", value) for value in ({}, {"": "x"}, {"a.b": "x"}, {"a": "x" * 40_000}, {"a" * 32_000: "x"})),
    *(("tags", value) for value in ({"a" * 32_764: "x"}, {"a" * 32_765: "x"}, {"a" * 40_000: "x"})),
    *(("list", value) for value in ([1, 2], [1, 1e30], [])),
    *(("parts", value) for value in ([{"at": f"{_TIME}Z"}], [{"at": f"{_TIME}Z"}, {"at": "2016-12-31T23:59:60Z"}])),
]


@pytest.fixture(scope="module")
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """Elasticsearch, with an index of the schema's mapping."""
    with connect(ElasticsearchSettings(url=elasticsearch_url), request_timeout=60.0) as connected:
        connected.options(ignore_status=404).indices.delete(index=INDEX)
        connected.indices.create(index=INDEX, mappings={"dynamic": "strict", "properties": properties_of(SCHEMA)})
        yield connected
        connected.indices.delete(index=INDEX)


def test_a_valid_document_is_refused_where_the_index_refuses_it(client: Elasticsearch) -> None:
    schema, limits = Validator(SCHEMA), IndexLimits(properties_of(SCHEMA))
    valid = [{name: value} for name, value in VALUES if schema.is_valid({name: value})]
    create: dict[str, Any] = {"create": {}}
    operations = [line for document in valid for line in (create, document)]
    items = client.bulk(index=INDEX, operations=operations)["items"]
    refused = [document for document, item in zip(valid, items, strict=True) if item["create"]["status"] == 400]
    assert [document for document in valid if limits.errors(document)] == refused
    assert {name for document in refused for name in document} >= {"at", "count", "tags", "list", "parts"}
