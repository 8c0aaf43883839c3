"""Elasticsearch mappings made from JSON Schemas."""

from typing import Any

import pytest

from gateway.inventory.json_schema import InvalidSchema, Validator
from gateway.inventory.mapping import check_given, index_properties, only_adds, properties_of

_TEXT = {"type": "keyword", "ignore_above": 8191}


def _closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "mapping"),
    [
        ({"type": "string"}, _TEXT),
        ({"type": ["string", "null"]}, _TEXT),
        ({"enum": ["a", "b", None]}, _TEXT),
        ({"const": True}, {"type": "boolean"}),
        ({"type": "string", "format": "date-time"}, {"type": "date"}),
        ({"type": "string", "format": "date"}, {"type": "date"}),
        ({"type": "string", "format": "email"}, _TEXT),
        ({"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}, {"type": "ip"}),
        ({"type": "integer"}, {"type": "long"}),
        ({"type": "number", "minimum": 0}, {"type": "double"}),
        ({"type": "array", "items": {"type": "integer"}}, {"type": "long"}),
        ({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}, {"type": "long"}),
        ({"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]}, {"type": "double"}),
        (_closed(a={"type": "string"}), {"properties": {"a": _TEXT}}),
        ({"type": "array", "items": _closed(a={"type": "string"})}, {"type": "nested", "properties": {"a": _TEXT}}),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"type": "flattened", "ignore_above": 8191},
        ),
        (
            {"type": "object", "patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False},
            {"type": "flattened", "ignore_above": 8191},
        ),
        ({"$ref": "#/$defs/place"}, {"properties": {"city": _TEXT}}),
        ({"allOf": [{"type": "string"}, {"maxLength": 3}]}, _TEXT),
        (
            {
                "type": "object",
                "allOf": [{"properties": {"a": {"type": "integer"}}}, {"properties": {"b": {"type": "boolean"}}}],
                "unevaluatedProperties": False,
            },
            {"properties": {"a": {"type": "long"}, "b": {"type": "boolean"}}},
        ),
    ],
)
def test_a_schema_has_its_mapping(schema: Any, mapping: Any) -> None:
    whole = _closed(it=schema) | {"$defs": {"place": _closed(city={"type": "string"})}}
    Validator(whole)
    assert properties_of(whole) == {"it": mapping}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": ["string", "integer"]}, "/it two types, integer and string"),
        ({"anyOf": [{"type": "string"}, {"type": "string", "format": "date"}]}, "/it two types, date and string"),
        ({"type": ["object", "string"], "properties": {}}, "/it two types"),
        (True, "/it no type"),
        ({}, "/it no type"),
        ({"type": "null"}, "/it no type"),
        ({"enum": [["a"]]}, "/it values that are lists or objects"),
        ({"type": "array"}, "items of /it"),
        ({"type": "array", "items": {"type": ["string", "number"]}}, r"/it/\* two types"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "/it must be closed"),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
            "/it must be closed",
        ),
        ({"type": "object"}, '/it must have "properties"'),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, '/it must have "properties"'),
        (_closed(**{"a.b": {"type": "string"}}), r"/it/a\.b has a name"),
        (_closed(**{" ": {"type": "string"}}), "has a name"),
    ],
)
def test_a_schema_without_a_mapping_is_refused_with_the_path(schema: Any, reason: str) -> None:
    with pytest.raises(InvalidSchema, match=reason):
        properties_of(_closed(it=schema))


def test_a_member_of_a_document_does_not_begin_with_an_underscore() -> None:
    with pytest.raises(InvalidSchema, match="/_id has a name"):
        properties_of(_closed(_id={"type": "string"}))


def test_a_document_is_an_object() -> None:
    with pytest.raises(InvalidSchema, match='"properties"'):
        properties_of({"type": "string"})


def test_elasticsearch_s_limits_are_kept() -> None:
    with pytest.raises(InvalidSchema, match="1,001 fields"):
        properties_of(_closed(**{f"f{number}": {"type": "boolean"} for number in range(1_001)}))
    nested = {"type": "array", "items": _closed(a={"type": "boolean"})}
    with pytest.raises(InvalidSchema, match="more than 50 nested fields"):
        properties_of(_closed(**{f"f{number}": nested for number in range(51)}))
    deep: dict[str, Any] = {"type": "boolean"}
    for _ in range(21):
        deep = _closed(a=deep)
    with pytest.raises(InvalidSchema, match="more than 20 levels"):
        properties_of(deep)


def test_an_index_has_the_documents_that_are_embedded_as_nested_members() -> None:
    found = index_properties({"name": _TEXT}, {"plan-service": {"copay": {"type": "double"}}})
    assert found == {
        "name": _TEXT,
        "plan-service": {"type": "nested", "properties": {"copay": {"type": "double"}}},
    }


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({"a": _TEXT, "o": {"properties": {"b": _TEXT}}}, True),
        ({"a": _TEXT, "o": {"properties": {"b": _TEXT, "c": _TEXT}}, "d": {"type": "date"}}, True),
        ({"a": _TEXT | {"fields": {"text": {"type": "text"}}}, "o": {"properties": {"b": _TEXT}}}, True),
        ({"o": {"properties": {"b": _TEXT}}}, False),
        ({"a": {"type": "long"}, "o": {"properties": {"b": _TEXT}}}, False),
        ({"a": _TEXT, "o": {"type": "nested", "properties": {"b": _TEXT}}}, False),
        ({"a": _TEXT, "o": {"properties": {"c": _TEXT}}}, False),
        ({"a": {"type": "keyword"}, "o": {"properties": {"b": _TEXT}}}, False),
    ],
)
def test_only_a_mapping_that_adds_fields_leaves_the_index_as_it_is(new: Any, expected: bool) -> None:
    assert only_adds({"a": _TEXT, "o": {"properties": {"b": _TEXT}}}, new) is expected


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ([], 'the member "properties"'),
        ({"properties": {}, "dynamic": True}, 'the member "properties"'),
        ({"properties": {}}, "must be an object with fields"),
        ({"properties": {"a": {"type": "join"}}}, "/a has no type of these"),
        ({"properties": {"a": {"type": "keyword", "copy_to": "b"}}}, "/a has the parameter copy_to"),
        ({"properties": {"a": {"properties": {"b": {"type": []}}}}}, "/a/b has no type"),
        ({"properties": {"a": {"type": "keyword", "properties": {"b": {"type": "text"}}}}}, "has no properties"),
        ({"properties": {"a.b": {"type": "keyword"}}}, "has a name"),
    ],
)
def test_a_mapping_that_is_given_is_checked(mapping: Any, reason: str) -> None:
    with pytest.raises(InvalidSchema, match=reason):
        check_given(mapping)
