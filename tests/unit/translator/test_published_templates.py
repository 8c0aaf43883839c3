"""Mappings that others have published, and every type of field that Elasticsearch documents.

The fields are those of the Elastic Common Schema and of Wazuh's states indices.
"""

import re
from itertools import cycle
from typing import Any

import pytest

from elastic.bootstrap import templates
from tests.support.published_templates import ecs, wazuh_states
from translator.catalogue import Catalogue, Field
from translator.comparisons import Query
from translator.dsl import translate
from translator.errors import QueryError, TypeMismatch, UnknownField, UnsupportedOperator

_ECS = Catalogue.from_mappings({"ecs": ecs()})
_WAZUH = Catalogue.from_mappings(wazuh_states())
_DEVICES = templates()["devices"]["template"]["mappings"]
_NOT_INDEXED = {
    "event.original",
    "gen_ai.agent.description",
    "file.x509.public_key_exponent",
    "tls.client.x509.public_key_exponent",
    "tls.server.x509.public_key_exponent",
    "threat.indicator.x509.public_key_exponent",
    "threat.indicator.file.x509.public_key_exponent",
    "threat.enrichments.indicator.x509.public_key_exponent",
    "threat.enrichments.indicator.file.x509.public_key_exponent",
}
"""Fields of ECS with `index` and `doc_values` false: Elasticsearch cannot even tell which documents have them."""

_EXISTENCE = {"EXISTS", "NOT EXISTS", "= *", "!= *"}
_EQUALITY = {"= {0}", "!= {0}", "IN ({0}, {1})", "NOT IN ({0}, {1})"}
_ORDER = {"< {0}", "<= {0}", "> {0}", ">= {0}", "BETWEEN {0} AND {1}", "NOT BETWEEN {0} AND {1}"}
_PATTERNS = {"= {0}*", "= *{0}?", "IN ({0}, {1}*)", "~ {0}", "!~ {0}", "~ /{0}/", "!~ /{0}/"}
_FORMS = sorted(_EXISTENCE | _EQUALITY | _ORDER | _PATTERNS)
_STRINGS = ("keyword", "constant_keyword", "wildcard", "version")
_TEXTS = ("text", "match_only_text")
_INTEGERS = ("byte", "short", "integer", "long", "unsigned_long")
_FLOATS = ("half_float", "float", "double", "scaled_float")
_ANSWERED = {
    **{kind: _EXISTENCE | _EQUALITY | _ORDER | _PATTERNS for kind in _STRINGS},
    "flattened": _EXISTENCE | _EQUALITY | _ORDER | {"= {0}*", "IN ({0}, {1}*)"},
    **{kind: _EXISTENCE | _EQUALITY | _PATTERNS for kind in _TEXTS},
    **{kind: _EXISTENCE | _EQUALITY | _ORDER for kind in (*_INTEGERS, *_FLOATS, "date", "date_nanos", "ip")},
    "boolean": _EXISTENCE | _EQUALITY,
}
"""The comparisons that are answered with a query, by type; types that are not here are asked for existence alone."""
_EXAMPLES = {
    **dict.fromkeys(_INTEGERS, ("1", "2")),
    **dict.fromkeys(_FLOATS, ("1.5", "2.5")),
    **dict.fromkeys(("date", "date_nanos"), ("2024-05", "2024-06-01")),
    "ip": ("10.0.0.1", "10.0.0.9"),
    "boolean": ("true", "false"),
}
"""Two values of a type, in order; to the other types any text is a value."""
_ALTERNATIVE = re.compile(r"\b(use|compare|write|ask|search|name)\b.*")
_MAPPINGS: dict[str, dict[str, Any]] = {
    "scaled_float": {"scaling_factor": 100},
    "object": {"properties": {"below": {"type": "keyword"}}},
    "nested": {"properties": {"below": {"type": "keyword"}}},
    "passthrough": {"priority": 1, "properties": {"below": {"type": "keyword"}}},
    "aggregate_metric_double": {"metrics": ["min", "max"], "default_metric": "max"},
    "dense_vector": {"dims": 3},
    "join": {"relations": {"question": "answer"}},
    "token_count": {"analyzer": "standard"},
    # Its default is neither doc values nor a stored value, and so nothing that Elasticsearch could look for.
    "binary": {"doc_values": True},
}
"""Parameters that the definition of a type has beside it."""
_ASKED_FOR_EXISTENCE_ALONE = (
    *("object", "nested", "passthrough", "geo_point", "geo_shape", "point", "shape", "binary", "histogram"),
    *("integer_range", "long_range", "float_range", "double_range", "date_range", "ip_range"),
    *("aggregate_metric_double", "exponential_histogram", "dense_vector", "sparse_vector", "rank_vectors"),
    *("rank_feature", "semantic_text", "completion", "join", "percolator", "murmur3", "some_type_to_come"),
)


def _outcome(text: str, catalogue: Catalogue) -> str:
    """The outcome of a query: "query", or the code of an error, which says what to do."""
    try:
        translate(text, catalogue)
    except QueryError as error:
        assert 0 <= error.position <= error.end <= len(text), text
        if isinstance(error, UnsupportedOperator):
            assert _ALTERNATIVE.search(error.message), error.message
        return error.code
    return "query"


def _comparison(field: Field, form: str) -> str:
    return f"{field.path} {form.format(*_EXAMPLES.get(field.type, ('some', 'text')))}"


def _assert_every_form_has_its_outcome(field: Field, catalogue: Catalogue) -> None:
    for form in _FORMS:
        _assert_has_its_outcome(field, form, catalogue)


def _assert_has_its_outcome(field: Field, form: str, catalogue: Catalogue) -> None:
    text, answered = _comparison(field, form), form in _ANSWERED.get(field.type, _EXISTENCE)
    assert _outcome(text, catalogue) == ("query" if answered else "unsupported_operator"), text


def _asks_for_existence(query: Query, field: Field) -> bool:
    """Whether it asks for the field's existence, inside the nested objects around it."""
    if "nested" in query and query["nested"]["path"] in field.nested:
        return _asks_for_existence(query["nested"]["query"], field)
    if "bool" in query:
        return all(_asks_for_existence(below, field) for below in query["bool"]["should"][:1])
    return query == {"exists": {"field": field.path}}


@pytest.mark.parametrize(("catalogue", "fields"), [(_ECS, 3416), (_WAZUH, 357)], ids=["ecs", "wazuh"])
def test_every_field_can_be_asked_for_existence(catalogue: Catalogue, fields: int) -> None:
    answered = 0
    for path, field in catalogue.fields.items():
        if path not in _NOT_INDEXED:
            assert _asks_for_existence(translate(f"{path} EXISTS", catalogue).query, field), path
            answered += 1
    assert answered == fields - len(_NOT_INDEXED & catalogue.fields.keys())


@pytest.mark.parametrize("path", sorted(_NOT_INDEXED))
@pytest.mark.parametrize("form", _FORMS)
def test_a_field_that_is_stored_alone_says_so(path: str, form: str) -> None:
    with pytest.raises(UnsupportedOperator, match="without being indexed"):
        translate(_comparison(_ECS.fields[path], form), _ECS)


def test_every_field_of_ecs_answers_an_operator_or_says_what_to_use() -> None:
    # One each, in turn; every operator is asked of each type below.
    for path, form in zip(sorted(_ECS.fields.keys() - _NOT_INDEXED), cycle(_FORMS)):
        _assert_has_its_outcome(_ECS.fields[path], form, _ECS)


@pytest.mark.parametrize(("index", "mapping"), wazuh_states().items(), ids=wazuh_states())
def test_every_field_of_a_states_index_answers_each_operator_or_says_what_to_use(
    index: str, mapping: dict[str, Any]
) -> None:
    catalogue = Catalogue.from_mappings({index: mapping})
    for field in catalogue.fields.values():
        _assert_every_form_has_its_outcome(field, catalogue)


@pytest.mark.parametrize("kind", [*_ANSWERED, *_ASKED_FOR_EXISTENCE_ALONE])
def test_every_type_answers_each_operator_or_says_what_to_use(kind: str) -> None:
    mapping = {"properties": {"a": {"properties": {"b": {"type": kind, **_MAPPINGS.get(kind, {})}}}}}
    catalogue = Catalogue.from_mappings({"index": mapping})
    _assert_every_form_has_its_outcome(catalogue.fields["a.b"], catalogue)


@pytest.mark.parametrize("kind", [*_ANSWERED, *_ASKED_FOR_EXISTENCE_ALONE])
def test_a_scope_is_for_nested_objects_and_says_so_elsewhere(kind: str) -> None:
    mapping = {"properties": {"b": {"type": kind, **_MAPPINGS.get(kind, {})}}}
    outcome = _outcome("b:{ below = some }", Catalogue.from_mappings({"index": mapping}))
    assert outcome == ("query" if kind == "nested" else "unsupported_operator")


@pytest.mark.parametrize("kind", sorted(_EXAMPLES))
@pytest.mark.parametrize("form", sorted(_EQUALITY | _ORDER))
def test_a_value_of_another_type_is_an_error_that_says_what_is_needed(kind: str, form: str) -> None:
    catalogue = Catalogue.from_mappings({"index": {"properties": {"b": {"type": kind, **_MAPPINGS.get(kind, {})}}}})
    if form in _ANSWERED[kind]:
        with pytest.raises(TypeMismatch, match="nonsense"):
            translate(f"b {form.format('nonsense', '1')}", catalogue)


def test_states_indices_together_conflict_where_their_types_do_alone() -> None:
    kinds: dict[str, set[str]] = {}
    for index, mapping in wazuh_states().items():
        for path, field in Catalogue.from_mappings({index: mapping}).fields.items():
            kinds.setdefault(path, set()).add(field.type)
    # The kernel of an operating system is an object in one index and a name in another.
    assert {path for path, found in kinds.items() if len(found) > 1} == {"host.os.kernel"}
    for path in kinds.keys() - {"host.os.kernel"}:
        _assert_every_form_has_its_outcome(_WAZUH.fields[path], _WAZUH)


def test_a_conflict_names_both_types_and_leaves_existence_and_what_is_below() -> None:
    assert translate("host.os.kernel EXISTS", _WAZUH).query == {"exists": {"field": "host.os.kernel"}}
    assert translate("host.os.kernel.name = Linux", _WAZUH).query == {"term": {"host.os.kernel.name": "Linux"}}
    with pytest.raises(UnsupportedOperator) as raised:
        translate("host.os.kernel = Linux", _WAZUH)
    for part in ("object in wazuh-states-inventory-system", "keyword in wazuh-states-vulnerabilities"):
        assert part in raised.value.message


def test_devices_beside_others_stay_as_they_are() -> None:
    alone = Catalogue.from_mappings({"devices": _DEVICES})
    together = Catalogue.from_mappings({"ecs": ecs(), "devices": _DEVICES, **wazuh_states()})
    assert len(alone.fields) > 20
    for field in alone.fields.values():
        for form in _FORMS:
            text = _comparison(field, form)
            assert _outcome(text, together) == _outcome(text, alone), text
            if _outcome(text, alone) == "query":
                assert translate(text, together).query == translate(text, alone).query


@pytest.mark.parametrize(
    ("catalogue", "name", "suggestion"),
    [
        (_ECS, "timestamp", "@timestamp"),
        (_ECS, "os.type", "host.os.type"),
        (_ECS, "os.name", "host.os.name"),
        (_ECS, "hostname", "host.hostname"),
        (_ECS, "host.nmae", "host.name"),
        (_ECS, "ip", "host.ip"),
        (_ECS, "src.ip", "source.ip"),
        (_ECS, "source_ip", "source.ip"),
        (_ECS, "host.name.keyword", "host.name"),
        (_ECS, "user.email.keyword", "user.email"),
        (_ECS, "process.command", "process.command_line"),
        (_WAZUH, "agent.id", "wazuh.agent.id"),
        (_WAZUH, "agent.name", "wazuh.agent.name"),
        (_WAZUH, "os.type", "host.os.type"),
        (_WAZUH, "agent.host.os.name", "wazuh.agent.host.os.name"),
        (_WAZUH, "package.nmae", "package.name"),
        (_WAZUH, "package.name.keyword", "package.name"),
        (Catalogue.from_mappings({"devices": _DEVICES}), "Host", "Hostname"),
    ],
)
def test_a_name_of_another_tool_is_answered_with_the_one_that_is_meant(
    catalogue: Catalogue, name: str, suggestion: str
) -> None:
    with pytest.raises(UnknownField) as raised:
        translate(f"{name} = x", catalogue)
    assert raised.value.suggestions[0] == suggestion
