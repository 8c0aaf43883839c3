"""The real Elasticsearch takes what is asked of a field, whatever its definition says about how it is kept."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from elasticsearch import Elasticsearch

from translator.catalogue import Catalogue
from translator.comparisons import Query
from translator.dsl import translate
from translator.errors import QueryError

_VALUES: dict[str, tuple[object, str]] = {
    "keyword": ("some", "some"),
    "text": ("some words", "some"),
    "ip": ("10.0.0.1", "10.0.0.1"),
    "long": (7, "7"),
    "half_float": (1.5, "1.5"),
    "double": (1.5, "1.5"),
    "date": ("2024-05-03", "2024-05-03"),
    "date_nanos": ("2024-05-03", "2024-05-03"),
    "boolean": (True, "true"),
    "flattened": ({"key": "some"}, "some"),
    "geo_point": ({"lat": 40.0, "lon": 29.0}, "x"),
    "ip_range": ("10.0.0.0/8", "10.0.0.1"),
    "long_range": ({"gte": 5}, "7"),
    "date_range": ({"gte": "2024"}, "2024-05-03"),
    "completion": ("some", "some"),
    "dense_vector": ([1.0, 2.0, 3.0], "1"),
}
"""A value in a document, and one in a query, by type."""
_PARAMETERS = {
    **dict.fromkeys(_VALUES, ("index", "doc_values", "store")),
    "text": ("index", "store"),
    "flattened": ("index", "doc_values"),
    "completion": (),
    "dense_vector": ("index",),
}
"""The parameters of a type that are true or false."""
_FORMS = (
    *("= {0}", "!= {0}", "IN ({0}, {0})", "= {0}*", "~ {0}", "~ /{0}/", "< {0}", "BETWEEN {0} AND {0}"),
    *("= *", "NOT EXISTS", "EXISTS"),
)
_OTHERS: tuple[tuple[dict[str, Any], object], ...] = (
    ({"type": "keyword", "normalizer": "lowercase"}, "Some"),
    ({"type": "keyword", "null_value": "some"}, None),
    ({"type": "keyword", "split_queries_on_whitespace": True}, "some words"),
    ({"type": "text", "index_options": "freqs"}, "some"),
    ({"type": "text", "index_prefixes": {}}, "some"),
    ({"type": "text", "index_phrases": True}, "some words"),
    ({"type": "text", "index": False, "fields": {"raw": {"type": "keyword"}}}, "some"),
    ({"type": "text", "fields": {"raw": {"type": "keyword", "index": False, "doc_values": False}}}, "some"),
    ({"type": "geo_point", "fields": {"raw": {"type": "keyword"}}}, "40,29"),
    ({"type": "object", "enabled": False}, {"below": "some"}),
    ({"type": "object", "dynamic": False, "properties": {"below": {"type": "keyword"}}}, {"below": "some"}),
    ({"type": "object", "enabled": False, "properties": {"below": {"type": "keyword"}}}, {"below": "some"}),
    ({"type": "nested", "enabled": False, "properties": {"below": {"type": "keyword"}}}, [{"below": "some"}]),
    ({"type": "nested", "include_in_root": True, "properties": {"below": {"type": "keyword"}}}, [{"below": "some"}]),
    ({"type": "passthrough", "priority": 1, "properties": {"below": {"type": "keyword"}}}, {"below": "some"}),
    ({"subobjects": False, "properties": {"below.more": {"type": "keyword"}}}, {"below.more": "some"}),
)


def _definitions() -> Iterator[tuple[dict[str, Any], object, str]]:
    """Definitions of fields, each with a document's value and a query's."""
    for kind, (value, text) in _VALUES.items():
        names = _PARAMETERS[kind]
        for switches in product((True, False), repeat=len(names)):
            dimensions = {"dims": 3} if kind == "dense_vector" else {}
            yield {"type": kind, **dimensions, **dict(zip(names, switches, strict=True))}, value, text
    for definition, value in _OTHERS:
        yield definition, value, "some"


def test_queries_are_taken_and_existence_is_answered_where_it_is_known(client: Elasticsearch) -> None:
    fields = {f"field-{number}": each for number, each in enumerate(_definitions())}
    mapping = {"properties": {name: definition for name, (definition, _, _) in fields.items()}}
    client.indices.create(index="parameters", mappings=mapping, settings={"number_of_replicas": 0})
    document = {name: value for name, (_, value, _) in fields.items()}
    client.create(index="parameters", id="0", document=document, refresh=True)
    catalogue = Catalogue.from_mappings({"parameters": mapping})
    asked: dict[str, Query] = {}
    refused: dict[str, Query] = {}
    for path in catalogue.fields:
        for form in _FORMS:
            text = f"{path} {form.format(fields[path.partition('.')[0]][2])}"
            try:
                asked[text] = translate(text, catalogue).query
            except QueryError:
                if form == "EXISTS":
                    refused[text] = {"exists": {"field": path}}
    searches: list[dict[str, Any]] = []
    for query in (*asked.values(), *refused.values()):
        searches += [{}, {"query": query, "size": 0}]
    answers = client.msearch(index="parameters", searches=searches)["responses"]
    hits = {
        text: answer["hits"]["total"]["value"] if "error" not in answer else answer["error"]["root_cause"][0]["reason"]
        for text, answer in zip((*asked, *refused), answers, strict=True)
    }
    wrong = {
        f"{text} with {fields[text.partition(' ')[0].partition('.')[0]][0]}": found
        for text, found in hits.items()
        if isinstance(found, str) or (text.split(" ", 1)[1] == "EXISTS" and found != (text in asked))
    }
    assert not wrong
    client.indices.delete(index="parameters")
