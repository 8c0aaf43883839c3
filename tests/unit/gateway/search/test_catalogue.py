"""Which field a name in ``sort`` or ``fields`` means."""

from typing import Any

import pytest

from gateway.http.problems import Code, Problem, RejectedQuery
from gateway.search.catalogue import Catalogue


def _field(name: str, type_name: str = "keyword", sortable: bool = True, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_name, "operators": ["="], "sortable": sortable, **more}


CATALOGUE = Catalogue(
    [
        _field("Hostname"),
        _field("LastSeen", "date"),
        _field("Title", "text", sortable=False),
        _field("Title.keyword"),
        _field("Description", "text", sortable=False),
        _field("Labels", "flattened"),
        _field("Raw", "object", sortable=False, problem='"Raw" is stored without being indexed'),
        _field("OS", "object", sortable=False),
        _field("OS.Type"),
        _field("Software", "nested", sortable=False, nested="Software"),
        _field("Software.Name", sortable=False, nested="Software"),
        _field("Name", alias_of="Hostname"),
        _field("site"),
        _field("Site"),
        _field("Mixed", sortable=False, problem='"Mixed" is keyword in a and text in b'),
    ]
)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Hostname", "Hostname"),
        ("hostname", "Hostname"),
        ("OS.Type", "OS.Type"),
        ("os.type", "OS.Type"),
        ("Title", "Title.keyword"),
        ("Title.keyword", "Title.keyword"),
        ("Labels", "Labels"),
        ("Labels.env", "Labels.env"),
        ("Name", "Hostname"),
        ("site", "site"),
        ("Site", "Site"),
    ],
)
def test_a_name_means_a_field_with_an_order(name: str, field: str) -> None:
    assert CATALOGUE.sort_field(name) == field


@pytest.mark.parametrize("name", ["Description", "Software.Name", "OS", "Software", "Mixed", "Raw"])
def test_a_field_without_an_order_is_refused_and_another_named(name: str) -> None:
    with pytest.raises(Problem) as refused:
        CATALOGUE.sort_field(name)
    assert (refused.value.status, refused.value.code) == (400, Code.MALFORMED)
    named = refused.value.detail.rpartition("such as ")[2].strip('".')
    assert CATALOGUE.sort_field(named)


def test_a_field_below_a_nested_one_is_told_so() -> None:
    with pytest.raises(Problem, match='"Software.Name" is below the nested "Software"'):
        CATALOGUE.sort_field("Software.Name")


@pytest.mark.parametrize("name", ["_score", "_doc", "", "-", "*", "Hostname.keyword", "Raw.any"])
def test_what_is_no_field_cannot_be_sorted_by(name: str) -> None:
    with pytest.raises(RejectedQuery) as refused:
        CATALOGUE.sort_field(name)
    assert refused.value.code == Code.UNKNOWN_FIELD


def test_an_index_without_any_ordered_field_has_none_to_suggest() -> None:
    with pytest.raises(Problem, match=r"has no order\.$"):
        Catalogue([_field("Description", "text", sortable=False)]).sort_field("Description")


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("Hostname", "Hostname"),
        ("HOSTNAME", "Hostname"),
        ("Description", "Description"),
        ("OS", "OS"),
        ("os.type", "OS.Type"),
        ("Software", "Software"),
        ("Software.Name", "Software.Name"),
        ("Labels", "Labels"),
        ("Labels.any.thing", "Labels.any.thing"),
        ("Raw.any.thing", "Raw.any.thing"),
        ("Name", "Hostname"),
        ("Mixed", "Mixed"),
    ],
)
def test_a_name_means_a_member_of_the_documents(name: str, member: str) -> None:
    assert CATALOGUE.source_member(name) == member


@pytest.mark.parametrize("name", ["Hostnme", "Title.keyword", "OS.Typ", "*", "Host*", "", "_id", "Hostname."])
def test_what_is_no_member_of_a_document_is_unknown(name: str) -> None:
    with pytest.raises(RejectedQuery) as refused:
        CATALOGUE.source_member(name)
    assert (refused.value.status, refused.value.code) == (400, Code.UNKNOWN_FIELD)


@pytest.mark.parametrize(("name", "closest"), [("Hostnme", "Hostname"), ("OS.Typ", "OS.Type"), ("titel", "Title")])
def test_an_unknown_name_is_answered_with_the_closest_ones(name: str, closest: str) -> None:
    for ask in (CATALOGUE.sort_field, CATALOGUE.source_member):
        with pytest.raises(RejectedQuery) as refused:
            ask(name)
        assert closest in refused.value.members["suggestions"][0]
        assert refused.value.members["suggestions"][0] in refused.value.detail


def test_a_name_that_could_be_two_fields_is_refused() -> None:
    for ask in (CATALOGUE.sort_field, CATALOGUE.source_member):
        with pytest.raises(Problem, match="Site, site"):
            ask("SITE")
