"""Which field a sort means."""

from typing import Any

import pytest

from gateway.problems import Code, Problem
from gateway.sorting import sort_field


def _capability(type_name: str, aggregatable: bool = True) -> dict[str, Any]:
    return {type_name: {"type": type_name, "searchable": True, "aggregatable": aggregatable}}


FIELDS: dict[str, Any] = {
    "Hostname": _capability("keyword"),
    "LastSeen": _capability("date"),
    "Title": _capability("text", aggregatable=False),
    "Title.keyword": _capability("keyword"),
    "Description": _capability("text", aggregatable=False),
    "Labels": _capability("flattened"),
    "OS": _capability("object", aggregatable=False),
    "OS.Type": _capability("keyword"),
    "Software": _capability("nested", aggregatable=False),
    "Software.Name": _capability("keyword"),
    "site": _capability("keyword"),
    "Site": _capability("keyword"),
    "Mixed": _capability("keyword") | _capability("text", aggregatable=False),
}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Hostname", "Hostname"),
        ("hostname", "Hostname"),
        ("OS.Type", "OS.Type"),
        ("os.type", "OS.Type"),
        ("Title", "Title.keyword"),
        ("Labels.env", "Labels.env"),
        ("site", "site"),
        ("Site", "Site"),
    ],
)
def test_a_name_means_a_field_with_an_order(name: str, field: str) -> None:
    assert sort_field(name, FIELDS) == field


@pytest.mark.parametrize("name", ["Description", "Software.Name", "OS", "Software", "Mixed"])
def test_a_field_without_an_order_is_refused_and_another_named(name: str) -> None:
    with pytest.raises(Problem) as refused:
        sort_field(name, FIELDS)
    assert (refused.value.status, refused.value.code) == (400, Code.MALFORMED)
    named = refused.value.detail.rpartition("such as ")[2].strip('".')
    assert sort_field(named, FIELDS) == named


def test_an_unknown_name_is_answered_with_the_closest_ones() -> None:
    with pytest.raises(Problem) as refused:
        sort_field("Hostnme", FIELDS)
    assert refused.value.code == Code.UNKNOWN_FIELD
    assert refused.value.members["suggestions"][0] == "Hostname"


@pytest.mark.parametrize("name", ["_score", "_doc", "", "-", "*", "Hostname.keyword"])
def test_what_is_no_field_is_unknown(name: str) -> None:
    with pytest.raises(Problem) as refused:
        sort_field(name, FIELDS)
    assert refused.value.code == Code.UNKNOWN_FIELD


def test_a_name_that_could_be_two_fields_is_refused() -> None:
    with pytest.raises(Problem, match="Site, site"):
        sort_field("SITE", FIELDS)


def test_an_index_without_any_ordered_field_has_none_to_suggest() -> None:
    with pytest.raises(Problem, match=r"has no order\.$"):
        sort_field("Description", {"Description": FIELDS["Description"]})
