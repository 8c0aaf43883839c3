"""The documents that the vendor's client is given."""

from typing import Any

import orjson
import pytest

from gateway.octoxlabs.results import as_lists


def _as_lists(document: dict[str, Any]) -> Any:
    return orjson.loads(orjson.dumps(as_lists(orjson.dumps(document))))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, {}),
        ({"Hostname": "a"}, {"Hostname": ["a"]}),
        ({"Ip": ["10.0.0.1", "10.0.0.2"]}, {"Ip": ["10.0.0.1", "10.0.0.2"]}),
        ({"Managed": False, "RiskScore": 0, "Owner": ""}, {"Managed": [False], "RiskScore": [0], "Owner": [""]}),
        ({"Owner": None, "Ip": []}, {"Owner": [], "Ip": []}),
    ],
)
def test_every_value_is_a_list(document: dict[str, Any], expected: dict[str, list[Any]]) -> None:
    assert _as_lists(document) == expected


def test_members_of_an_object_have_the_names_that_a_query_knows_them_by() -> None:
    document = {"OS": {"Type": "Linux", "Kernel": {"Major": 6}}, "Labels": {}}
    assert _as_lists(document) == {"OS.Type": ["Linux"], "OS.Kernel.Major": [6]}


def test_objects_in_a_list_stay_together() -> None:
    software = [{"Name": "nginx", "Version": "1.18"}, {"Name": "curl", "Version": "8"}]
    assert _as_lists({"Software": software}) == {"Software": software}


def test_a_field_written_in_two_ways_has_the_values_of_both() -> None:
    assert _as_lists({"OS.Type": "Linux", "OS": {"Type": ["BSD"]}}) == {"OS.Type": ["Linux", "BSD"]}
