"""Requests of the vendor's client: those that it really sends, and no liberty beyond."""

from typing import Any

import pytest

from gateway.octoxlabs.serializers import DeviceSerializer, DevicesSerializer
from gateway.search.serializers import MAX_NAMES


def _complaints(body: Any) -> Any:
    reader = DevicesSerializer(data=body)
    assert not reader.is_valid()
    return reader.errors


def _accepted(body: Any) -> Any:
    reader = DevicesSerializer(data=body)
    assert reader.is_valid(), reader.errors
    return reader.validated_data


def test_the_clients_body_for_a_page_is_accepted() -> None:
    body: dict[str, Any] = {"query": "", "fields": None, "page": 1, "size": 50, "index_id": None, "ordering": []}
    assert _accepted(body) == body | {"scrollable": False, "scroll_id": None}


def test_the_clients_body_for_a_scroll_is_accepted() -> None:
    ordering = [{"field": "Hostname", "order": "desc"}]
    body = {"query": "Site = ankara", "fields": ["Hostname"], "size": 1000, "index_id": 1, "ordering": ordering}
    scroll = {"scrollable": True, "scroll_id": "where the last answer ended"}
    assert _accepted(body | scroll) == body | scroll | {"page": 1}


def test_an_ordering_without_a_direction_is_ascending() -> None:
    assert _accepted({"ordering": [{"field": "Ip"}]})["ordering"] == [{"field": "Ip", "order": "asc"}]


@pytest.mark.parametrize(
    "body",
    [
        {"query": 1},
        {"query": None},
        {"fields": "Hostname"},
        {"fields": [1]},
        {"size": -1},
        {"size": 1001},
        {"size": "50"},
        {"page": 0},
        {"page": 1.5},
        {"index_id": "1"},
        {"index_id": True},
        {"ordering": "Hostname"},
        {"ordering": {"field": "Hostname"}},
        {"ordering": ["Hostname"]},
        {"ordering": [{"order": "asc"}]},
        {"ordering": [{"field": "Hostname", "order": "up"}]},
        {"ordering": [{"field": "-Hostname"}]},
        {"ordering": [{"field": "Hostname", "mode": "min"}]},
        {"ordering": [{"field": "Hostname"}] * (MAX_NAMES + 1)},
        {"scrollable": "true"},
        {"scroll_id": 7, "scrollable": True},
        {"unknown": 1},
    ],
)
def test_a_body_that_breaks_the_contract_is_refused_by_the_member_s_name(body: dict[str, Any]) -> None:
    assert list(_complaints(body)) == [next(iter(body))]


@pytest.mark.parametrize("body", [[], "text", 1, None])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert "non_field_errors" in _complaints(body)


def test_pages_reach_ten_thousand_devices_and_beyond_that_scrolling_is_named() -> None:
    assert _accepted({"page": 10, "size": 1000})
    (message,) = _complaints({"page": 11, "size": 1000})["page"]
    assert "scroll" in message


def test_a_scroll_has_no_pages_and_a_page_no_scroll_id() -> None:
    assert list(_complaints({"scrollable": True, "page": 2})) == ["page"]
    assert list(_complaints({"scrollable": True, "size": 0})) == ["size"]
    assert list(_complaints({"scroll_id": "abc"})) == ["scroll_id"]


@pytest.mark.parametrize("body", [{}, {"index_id": None}, {"index_id": 1}])
def test_a_device_is_looked_up_by_name_with_or_without_a_discovery(body: dict[str, Any]) -> None:
    assert DeviceSerializer(data=body).is_valid()
