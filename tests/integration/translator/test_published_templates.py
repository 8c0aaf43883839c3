"""The real Elasticsearch takes, and answers, what is asked of every field of ECS and of Wazuh's states indices."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from elasticsearch import Elasticsearch

from tests.support.published_templates import ecs, wazuh_states
from translator.catalogue import Catalogue, Field
from translator.comparisons import Query
from translator.dsl import translate
from translator.errors import UnsupportedOperator

_MISSING_TYPES = {"constant_keyword", "match_only_text", "scaled_float", "unsigned_long", "wildcard"}
"""Types of modules that the embedded server does not have."""
_VALUES: dict[str, tuple[object, str]] = {
    **dict.fromkeys(("integer", "long", "short"), (7, "7")),
    **dict.fromkeys(("float", "double"), (1.5, "1.5")),
    "boolean": (True, "true"),
    "date": ("2024-05-03T10:30:00Z", "2024-05-03"),
    "geo_point": ({"lat": 40.0, "lon": 29.0}, ""),
    "ip": ("10.0.0.1", "10.0.0.0/8"),
    "keyword": ("s", "s"),
    "flattened": ({"key": "some"}, "some"),
    "object": ({"key": "some"}, ""),
    "nested": ([{"key": "some"}], ""),
}
"""A value in a document, and what finds it with `=`, by type; empty where the type has no `=`."""
_OTHER_FORMS = (
    *(
        "!= {0}",
        "IN ({0})",
        "NOT IN ({0}, {0})",
        "NOT EXISTS",
        "= *",
        "= {0}*",
        "= *{0}?",
        "~ {0}",
        "!~ {0}",
        "~ /{0}/",
    ),
    *("< {0}", "<= {0}", "> {0}", ">= {0}", "BETWEEN {0} AND {0}"),
)


def _known(mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping without the fields and sub-fields whose type the embedded server does not have."""
    kept = dict(mapping)
    for holder in {"properties", "fields"} & mapping.keys():
        below = mapping[holder].items()
        kept[holder] = {name: _known(each) for name, each in below if each.get("type") not in _MISSING_TYPES}
    return kept


def _document(mapping: dict[str, Any]) -> dict[str, Any]:
    """A document that has a value of every field."""
    values: dict[str, Any] = {}
    for name, definition in mapping["properties"].items():
        if definition.get("properties"):
            values[name] = _document(definition)
        else:
            values[name] = _VALUES[definition.get("type", "object")][0]
    return values


def _index(client: Elasticsearch, index: str, mapping: dict[str, Any]) -> None:
    settings = {"number_of_replicas": 0, "mapping.total_fields.limit": 5000}
    client.indices.create(index=index, mappings=mapping, settings=settings)
    client.create(index=index, id="0", document=_document(mapping), refresh=True)


def _hits(client: Elasticsearch, index: str, queries: Mapping[str, Query]) -> dict[str, int]:
    """How many documents each query finds; the server takes all of them."""
    found: dict[str, int] = {}
    texts = list(queries)
    for start in range(0, len(texts), 500):
        batch = texts[start : start + 500]
        searches: list[dict[str, Any]] = []
        for text in batch:
            searches += [{}, {"query": queries[text], "size": 0, "track_total_hits": True}]
        answers = client.msearch(index=index, searches=searches)["responses"]
        for text, answer in zip(batch, answers, strict=True):
            assert "error" not in answer, (text, answer["error"])
            found[text] = answer["hits"]["total"]["value"]
    return found


def _translated(texts: Iterable[str], catalogue: Catalogue) -> dict[str, Query]:
    """The queries of those texts that have one."""
    found: dict[str, Query] = {}
    for text in texts:
        with suppress(UnsupportedOperator):
            found[text] = translate(text, catalogue).query
    return found


def _value(field: Field) -> str:
    return _VALUES[field.type][1] or "some"


def _other_comparisons(fields: Iterable[Field]) -> list[str]:
    """Those of one field of each type and place."""
    one_of_each = {(field.type, field.nested, field.keyword is None): field for field in fields}
    return [
        f"{field.path} {form.format(_value(field).partition('/')[0])}"
        for field in one_of_each.values()
        for form in _OTHER_FORMS
    ]


def test_every_field_of_ecs_is_found_by_its_existence_and_by_its_value(client: Elasticsearch) -> None:
    mapping = _known(ecs())
    _index(client, "ecs", mapping)
    catalogue = Catalogue.from_mappings({"ecs": mapping})
    existence = _translated((f"{path} EXISTS" for path in catalogue.fields), catalogue)
    assert len(existence) > 3000
    assert _hits(client, "ecs", existence) == dict.fromkeys(existence, 1)
    # Refused names are unknown to the server: it would find nothing, whatever the document has.
    refused = {path: {"exists": {"field": path}} for path in catalogue.fields if f"{path} EXISTS" not in existence}
    assert "event.original" in refused
    assert _hits(client, "ecs", refused) == dict.fromkeys(refused, 0)
    values = _translated((f"{field.path} = {_value(field)}" for field in catalogue.fields.values()), catalogue)
    assert len(values) > 2000
    assert _hits(client, "ecs", values) == dict.fromkeys(values, 1)
    others = _translated(_other_comparisons(catalogue.fields.values()), catalogue)
    assert len(others) > 500
    assert set(_hits(client, "ecs", others).values()) == {0, 1}
    client.indices.delete(index="ecs")


def test_states_indices_are_searched_together(client: Elasticsearch) -> None:
    mappings = {index: _known(mapping) for index, mapping in wazuh_states().items()}
    for index, mapping in mappings.items():
        _index(client, index, mapping)
    indices = ",".join(mappings)
    catalogue = Catalogue.from_mappings(mappings)
    holders = Counter(path for mapping in mappings.values() for path in Catalogue.from_mappings({"": mapping}).fields)
    existence = _translated((f"{path} EXISTS" for path in catalogue.fields), catalogue)
    assert _hits(client, indices, existence) == {f"{path} EXISTS": holders[path] for path in catalogue.fields}
    values = _translated((f"{field.path} = {_value(field)}" for field in catalogue.fields.values()), catalogue)
    assert len(values) > 250
    assert _hits(client, indices, values) == {text: holders[text.partition(" ")[0]] for text in values}
    others = _translated(_other_comparisons(catalogue.fields.values()), catalogue)
    assert len(others) > 50
    assert set(_hits(client, indices, others).values()) > {0, 1}
    client.indices.delete(index=indices)
