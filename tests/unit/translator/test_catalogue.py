"""The fields of an index, from its mapping."""

from typing import Any

import pytest

from translator.catalogue import Catalogue, Family, MappingError
from translator.dsl import translate
from translator.errors import TooComplex, UnknownField
from translator.nodes import Name

_KEYWORD = {"type": "keyword"}


def _catalogue(**properties: Any) -> Catalogue:
    return Catalogue.from_mappings({"devices": {"properties": properties}})


def _unknown(catalogue: Catalogue, name: str, scope: str = "") -> UnknownField:
    with pytest.raises(UnknownField) as raised:
        catalogue.resolve(Name(name, 3, 3 + len(name)), scope)
    assert (raised.value.position, raised.value.end) == (3, 3 + len(name))
    return raised.value


def test_objects_multi_fields_and_nested_objects_have_dotted_paths() -> None:
    catalogue = _catalogue(
        OS={"properties": {"Type": _KEYWORD}},
        Ip={"type": "ip", "fields": {"keyword": _KEYWORD}},
        Software={"type": "nested", "properties": {"Files": {"type": "nested", "properties": {"Path": _KEYWORD}}}},
    )
    assert set(catalogue.fields) == {
        *["OS", "OS.Type", "Ip", "Ip.keyword", "Software", "Software.Files", "Software.Files.Path"]
    }
    assert catalogue.fields["OS"].children == ("OS.Type",)
    assert catalogue.fields["Ip"].keyword is catalogue.fields["Ip.keyword"]
    assert catalogue.fields["Software.Files.Path"].nested == ("Software", "Software.Files")
    assert catalogue.fields["Software"].nested_below == (catalogue.fields["Software.Files"],)


def test_another_letter_case_means_the_field_where_there_is_one_choice() -> None:
    catalogue = _catalogue(Hostname=_KEYWORD, STRASSE=_KEYWORD)
    assert catalogue.resolve(Name("hostNAME")).path == "Hostname"
    assert catalogue.resolve(Name("straße")).path == "STRASSE"


def test_several_fields_in_other_letter_cases_are_an_error_that_names_them() -> None:
    catalogue = _catalogue(Host=_KEYWORD, host=_KEYWORD)
    assert catalogue.resolve(Name("host")).path == "host"
    error = _unknown(catalogue, "HOST")
    assert error.suggestions == ("Host", "host")
    assert error.message == '"HOST" could be any of "Host", "host"; write one of them as it is'


def test_the_closest_names_are_suggested() -> None:
    catalogue = _catalogue(
        Hostname=_KEYWORD, Hostnames=_KEYWORD, Adapters=_KEYWORD, OS={"properties": {"Type": _KEYWORD}}
    )
    assert _unknown(catalogue, "Hostnme").suggestions == ("Hostname", "Hostnames")
    assert _unknown(catalogue, "adpaters").suggestions == ("Adapters",)
    assert _unknown(catalogue, "type").suggestions == ("OS.Type",)
    assert _unknown(catalogue, "zzzzzz").suggestions == ()
    assert _unknown(catalogue, "x" * 1_024).suggestions == ()
    assert _unknown(catalogue, "Hostnme").message == 'unknown field "Hostnme"; did you mean "Hostname" or "Hostnames"?'


@pytest.mark.parametrize("name", ["x" * 1_025, ".".join("a" * 65), "a." * 32_000 + "a"])
def test_a_name_over_its_limits_is_refused_before_it_is_looked_for(name: str) -> None:
    with pytest.raises(TooComplex, match="at most 1,024 characters and 64 parts"):
        _catalogue(a=_KEYWORD).resolve(Name(name))


def test_names_in_a_scope_are_relative_to_it() -> None:
    catalogue = _catalogue(
        Name=_KEYWORD, Software={"type": "nested", "properties": {"Name": _KEYWORD, "Version": _KEYWORD}}
    )
    assert catalogue.resolve(Name("version"), "Software.").path == "Software.Version"
    error = _unknown(catalogue, "Versoin", "Software.")
    assert error.suggestions == ("Version",)
    assert 'in "Software"' in error.message


def test_everything_below_a_flattened_field_is_a_leaf() -> None:
    catalogue = _catalogue(Labels={"type": "flattened"}, Off={"type": "flattened", "index": False, "doc_values": False})
    field = catalogue.resolve(Name("labels.Any.thing"))
    assert (field.path, field.family) == ("Labels.Any.thing", Family.FLATTENED)
    assert catalogue.resolve(Name("Off.x")).problem


def test_an_alias_is_its_target() -> None:
    catalogue = _catalogue(
        Host={"type": "alias", "path": "Hostname"}, Hostname=_KEYWORD, Bad={"type": "alias", "path": "x"}
    )
    assert catalogue.resolve(Name("Host")) is catalogue.fields["Hostname"]
    assert "alias of a field that does not exist" in catalogue.resolve(Name("Bad")).problem


def test_a_runtime_field_is_searched_as_its_type_and_hides_an_indexed_one() -> None:
    catalogue = Catalogue.from_mappings(
        {
            "devices": {
                "properties": {"Day": {"type": "text", "index": False}},
                "runtime": {"Day": {"type": "long"}, "Parts": {"type": "composite", "fields": {"Ip": {"type": "ip"}}}},
            }
        }
    )
    assert (catalogue.fields["Day"].type, catalogue.fields["Day"].problem) == ("long", "")
    assert catalogue.fields["Parts.Ip"].family is Family.IP


@pytest.mark.parametrize(
    "definition",
    [
        {"type": "keyword", "index": False, "doc_values": False},
        {"type": "text", "index": False},
        {"type": "object", "enabled": False},
        {"type": "geo_point"},
        {"type": "binary"},
    ],
)
def test_a_field_that_cannot_be_searched_says_why(definition: dict[str, Any]) -> None:
    assert _catalogue(Field=definition).fields["Field"].problem.startswith('"Field" is')


@pytest.mark.parametrize("kind", ["object", "nested"])
def test_fields_below_a_disabled_object_are_not_indexed_whatever_they_say(kind: str) -> None:
    below = {"properties": {"Name": {**_KEYWORD, "fields": {"text": {"type": "text"}}}}}
    catalogue = _catalogue(Off={"type": kind, "enabled": False, "properties": {"Name": _KEYWORD, "Below": below}})
    for path in ("Off", "Off.Name", "Off.Below", "Off.Below.Name"):
        assert "without being indexed" in catalogue.fields[path].problem


def test_doc_values_alone_are_enough() -> None:
    assert not _catalogue(Field={"type": "keyword", "index": False}).fields["Field"].problem


def test_indices_are_searched_together_where_their_types_agree() -> None:
    catalogue = Catalogue.from_mappings(
        {
            "a": {
                "properties": {
                    "Ip": _KEYWORD,
                    "Only": _KEYWORD,
                    "Title": {"type": "text", "fields": {"keyword": _KEYWORD}},
                }
            },
            "b": {"properties": {"Ip": {"type": "ip"}, "Title": {"type": "text"}}},
        }
    )
    assert catalogue.fields["Ip"].problem.startswith('"Ip" is keyword in a and ip in b; search these')
    assert not catalogue.fields["Only"].problem
    # A search of the sub-field would miss the documents of b.
    assert catalogue.fields["Title"].keyword is None


@pytest.mark.parametrize(
    "mapping",
    [[], 1, {"properties": []}, {"properties": {"a": 1}}, {"properties": {"a": {"fields": 1}}}, {"runtime": []}],
)
def test_an_answer_that_is_no_mapping_is_refused(mapping: Any) -> None:
    with pytest.raises(MappingError):
        Catalogue.from_mappings({"devices": mapping})


def test_a_mapping_without_fields_knows_no_field() -> None:
    assert _unknown(Catalogue.from_mappings({"devices": {}}), "a").suggestions == ()


@pytest.mark.parametrize(
    ("definition", "sortable"),
    [
        (_KEYWORD, True),
        ({"type": "flattened"}, True),
        ({"type": "ip"}, True),
        ({"type": "scaled_float"}, True),
        ({"type": "date_nanos"}, True),
        ({"type": "boolean"}, True),
        ({"type": "long", "index": False}, True),
        ({"type": "long", "doc_values": False}, False),
        ({"type": "text"}, False),
        ({"type": "geo_point"}, False),
        ({"type": "object"}, False),
        ({"type": "alias", "path": "Other"}, True),
    ],
)
def test_documents_can_be_sorted_by_fields_with_doc_values(definition: dict[str, Any], sortable: bool) -> None:
    assert _catalogue(Field=definition, Other=_KEYWORD).fields["Field"].sortable is sortable


def test_documents_cannot_be_sorted_by_what_is_below_a_nested_object() -> None:
    catalogue = _catalogue(Software={"type": "nested", "properties": {"Name": _KEYWORD}})
    assert not catalogue.fields["Software.Name"].sortable


def test_one_index_without_doc_values_spoils_the_order_of_all() -> None:
    properties = [{"Site": _KEYWORD}, {"Site": {"type": "keyword", "doc_values": False}}]
    mappings = {str(number): {"properties": fields} for number, fields in enumerate(properties)}
    assert not Catalogue.from_mappings(mappings).fields["Site"].sortable


def test_a_field_that_one_index_alone_cannot_search_says_which() -> None:
    kept = {"properties": {"f": {"type": "keyword"}}}
    hidden = {"properties": {"f": {"type": "keyword", "index": False, "doc_values": False}}}
    field = Catalogue.from_mappings({"a": kept, "b": hidden}).fields["f"]
    assert field.exists_problem.startswith('in b, "f" is stored without being indexed')
    assert "search the other indices by themselves" in field.exists_problem
    alone = Catalogue.from_mappings({"b": hidden, "c": hidden}).fields["f"]
    assert alone.exists_problem.startswith('"f" is stored')


def test_an_alias_of_one_index_is_compared_with_the_whole_value_where_its_documents_have_it() -> None:
    text = {"type": "text", "fields": {"keyword": {"type": "keyword"}}}
    name = {"host": {"properties": {"name": text}}}
    alias = {"an-alias-with-a-long-name": {"type": "alias", "path": "host.name"}}
    both = Catalogue.from_mappings({"a": {"properties": name | alias}, "b": {"properties": name}})
    one = Catalogue.from_mappings({"a": {"properties": name | alias}})
    asked = {"term": {"host.name.keyword": "Web"}}
    query = "an-alias-with-a-long-name = Web"
    assert translate(query, one).query == asked
    has_it = {"exists": {"field": "an-alias-with-a-long-name"}}
    assert translate(query, both).query == {"bool": {"filter": [asked, has_it]}}
    assert translate("host.name = Web", both).query == asked
    assert translate("an-alias-with-a-long-name EXISTS", both).query == has_it
    several = translate("an-alias-with-a-long-name NOT IN (a, b*)", both).query
    assert several["bool"]["must_not"][0]["bool"]["filter"][1] == has_it
