"""JSON Schemas of types."""

from typing import Any

import pytest

from gateway.inventory.json_schema import MAX_ERRORS, MAX_REFERENCES, InvalidSchema, Validator

_DOUBLING = {
    "$ref": "#/$defs/d0",
    "$defs": {f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(20)} | {"d20": {}},
}
_CHAIN = {
    "$ref": "#/$defs/d0",
    "$defs": {f"d{level}": {"$ref": f"#/$defs/d{level + 1}"} for level in range(1_500)} | {"d1500": {}},
}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (True, "must be a JSON object"),
        ([], "must be a JSON object"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "draft/2020-12"),
        ({"type": "text"}, "invalid at /type"),
        ({"properties": {"a": {"maximum": "1"}}}, "invalid at /properties/a/maximum"),
        ({"$ref": "file:///etc/passwd"}, "nothing outside the schema is read"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9200/"}}}, "/properties/a must begin with"),
        ({"$defs": {"a": {"$ref": "file:///etc/passwd"}}}, "etrieval is disabled"),
        ({"$ref": "#/$defs/a"}, "leads nowhere"),
        ({"$ref": "#"}, "leads back to itself"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}, "leads back to itself"),
        ({"$id": "https://example.org/a"}, r'"\$id" at / is not supported'),
        ({"not": {"$dynamicRef": "#a"}}, r'"\$dynamicRef" at /not is not supported'),
        ({"pattern": "(?=a)b"}, "invalid at /pattern"),
        ({"pattern": r"(a)\1"}, "invalid at /pattern"),
        ({"pattern": "(a{1000}){1000}"}, "invalid at /pattern"),
        ({"format": "hostnam"}, "Unknown format"),
        (_DOUBLING, "more than 10,000 subschemas"),
        (_CHAIN, f"more than {MAX_REFERENCES} in a row"),
    ],
)
def test_a_schema_that_no_type_can_have_is_refused_with_its_place(schema: Any, reason: str) -> None:
    with pytest.raises(InvalidSchema, match=reason):
        Validator(schema)


def test_a_reference_within_the_schema_is_followed() -> None:
    schema = {"properties": {"a": {"$ref": "#/$defs/short"}}, "$defs": {"short": {"type": "string", "maxLength": 2}}}
    assert Validator(schema).is_valid({"a": "ab"})
    assert not Validator(schema).is_valid({"a": "abc"})


@pytest.mark.parametrize(("format_", "value"), [("ipv4", "10.0.0.256"), ("date-time", "yesterday"), ("ipv6", "::g")])
def test_formats_are_checked(format_: str, value: str) -> None:
    assert not Validator({"type": "string", "format": format_}).is_valid(value)


def test_an_error_names_place_and_keyword_and_never_the_value() -> None:
    schema = {"properties": {"a/b": {"items": {"type": "string", "maxLength": 3}}}}
    assert Validator(schema).errors({"a/b": ["ab", "a secret"]}) == [
        {"pointer": "/a~1b/1", "keyword": "maxLength", "detail": "the value is longer than 3 characters"}
    ]


def test_a_document_with_many_faults_has_some_of_them_named() -> None:
    assert len(Validator({"items": {"type": "string"}}).errors([1] * 1_000)) == MAX_ERRORS


def test_many_faults_with_many_alternatives_are_described_by_the_first() -> None:
    schema = {"items": {"oneOf": [{"const": number} for number in range(3_000)]}}
    (error,) = Validator(schema).errors(["x"] * 1_000)
    assert (error["pointer"], error["keyword"]) == ("/0", "oneOf")


def test_a_pattern_that_others_take_exponential_time_for_is_checked() -> None:
    assert not Validator({"pattern": "^(a+)+$"}).is_valid("a" * 100_000 + "b")
