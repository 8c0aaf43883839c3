"""Fields that names in ``sort`` or ``fields`` mean."""

import pytest

from translator.catalogue import Catalogue
from translator.errors import RefusedName, UnknownName
from translator.parameters import sort_clauses, source_members

_KEYWORD = {"type": "keyword"}
CATALOGUE = Catalogue.from_mappings(
    {
        "a": {
            "properties": {
                "Hostname": _KEYWORD,
                "LastSeen": {"type": "date"},
                "Title": {"type": "text", "fields": {"keyword": _KEYWORD}},
                "Unindexed": {"type": "text", "index": False, "fields": {"raw": _KEYWORD}},
                "Description": {"type": "text"},
                "Labels": {"type": "flattened"},
                "Tags": {"type": "alias", "path": "Labels"},
                "Raw": {"type": "object", "enabled": False},
                "OS": {"properties": {"Type": _KEYWORD}},
                "Pass": {"type": "passthrough", "priority": 1, "properties": {"Through": _KEYWORD}},
                "Software": {"type": "nested", "properties": {"Name": _KEYWORD}},
                "Name": {"type": "alias", "path": "Hostname"},
                "Caption": {"type": "alias", "path": "Title"},
                "site": _KEYWORD,
                "Site": _KEYWORD,
                "Mixed": _KEYWORD,
            }
        },
        "b": {
            "properties": {
                "Mixed": {"type": "text"},
                "Name": {"type": "alias", "path": "Hostname"},
                "Hostname": _KEYWORD,
                "Tags": {"type": "alias", "path": "Labels"},
                "Labels": {"type": "flattened"},
                "Caption": {"type": "alias", "path": "Title"},
                "Title": {"type": "text", "fields": {"keyword": _KEYWORD}},
            }
        },
    }
)


def _sort_field(name: str, catalogue: Catalogue = CATALOGUE) -> str:
    (clause,) = sort_clauses([name], catalogue)
    (field,) = clause
    return field


def _source_member(name: str) -> str:
    members = source_members([name], CATALOGUE)
    assert members is not True
    (member,) = members
    return member


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Hostname", "Hostname"),
        ("hostname", "Hostname"),
        ("OS.Type", "OS.Type"),
        ("os.type", "OS.Type"),
        ("Title", "Title.keyword"),
        ("Title.keyword", "Title.keyword"),
        ("Unindexed", "Unindexed.raw"),
        ("Labels", "Labels"),
        ("Labels.env", "Labels.env"),
        ("Tags.env", "Labels.env"),
        ("Name", "Hostname"),
        ("Caption", "Title.keyword"),
        ("site", "site"),
        ("Site", "Site"),
    ],
)
def test_a_name_means_a_field_with_an_order(name: str, field: str) -> None:
    assert _sort_field(name) == field


def test_a_sign_before_a_name_turns_the_order_round() -> None:
    assert sort_clauses(["-LastSeen", "Hostname"], CATALOGUE) == [
        {"LastSeen": {"order": "desc"}},
        {"Hostname": {"order": "asc"}},
    ]


@pytest.mark.parametrize("name", ["Description", "Software.Name", "OS", "Software", "Mixed", "Raw"])
def test_a_field_without_an_order_is_refused_and_another_named(name: str) -> None:
    with pytest.raises(RefusedName) as refused:
        _sort_field(name)
    assert (refused.value.code, refused.value.suggestions) == ("malformed", ())
    named = refused.value.message.rpartition("such as ")[2].strip('".')
    assert _sort_field(named)


def test_a_field_below_a_nested_one_is_told_so() -> None:
    with pytest.raises(RefusedName, match='"Software.Name" is below the nested "Software"'):
        _sort_field("Software.Name")


@pytest.mark.parametrize("name", ["_score", "_doc", "", "-", "--", "*", "Hostname.keyword", "Raw.any"])
def test_an_unknown_field_cannot_be_sorted_by(name: str) -> None:
    with pytest.raises(UnknownName) as refused:
        _sort_field(name)
    assert refused.value.code == "unknown_field"


def test_an_index_without_any_ordered_field_has_no_suggestion() -> None:
    catalogue = Catalogue.from_mappings({"a": {"properties": {"Description": {"type": "text"}}}})
    with pytest.raises(RefusedName, match=r"has no order\.$"):
        _sort_field("Description", catalogue)


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("Hostname", "Hostname"),
        ("HOSTNAME", "Hostname"),
        ("Description", "Description"),
        ("Title", "Title"),
        ("Unindexed", "Unindexed"),
        ("OS", "OS"),
        ("os.type", "OS.Type"),
        ("Pass.Through", "Pass.Through"),
        ("Software", "Software"),
        ("Software.Name", "Software.Name"),
        ("Labels", "Labels"),
        ("Labels.any.thing", "Labels.any.thing"),
        ("Tags.any.thing", "Labels.any.thing"),
        ("Raw.any.thing", "Raw.any.thing"),
        ("Name", "Hostname"),
        ("Mixed", "Mixed"),
    ],
)
def test_a_name_means_a_member_of_the_documents(name: str, member: str) -> None:
    assert _source_member(name) == member


def test_without_names_the_whole_document_is_meant() -> None:
    assert source_members(None, CATALOGUE) is True


@pytest.mark.parametrize("name", ["Hostnme", "Title.keyword", "OS.Typ", "*", "Host*", "", "_id", "Hostname."])
def test_a_name_of_no_member_of_a_document_is_unknown(name: str) -> None:
    with pytest.raises(UnknownName) as refused:
        _source_member(name)
    assert refused.value.code == "unknown_field"


@pytest.mark.parametrize(("name", "closest"), [("Hostnme", "Hostname"), ("OS.Typ", "OS.Type"), ("titel", "Title")])
def test_an_unknown_name_is_answered_with_the_closest_ones(name: str, closest: str) -> None:
    for ask in (_sort_field, _source_member):
        with pytest.raises(UnknownName) as refused:
            ask(name)
        assert closest in refused.value.suggestions[0]
        assert refused.value.suggestions[0] in refused.value.message


def test_a_name_that_could_be_two_fields_is_refused() -> None:
    for ask in (_sort_field, _source_member):
        with pytest.raises(RefusedName, match="Site, site") as refused:
            ask("SITE")
        assert refused.value.code == "malformed"
