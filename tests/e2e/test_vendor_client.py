"""The vendor's own client, as it comes from PyPI, against the running gateway."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from octoxlabs import OctoxLabs  # type: ignore[import-untyped]  # it has no types
from octoxlabs.exceptions import ApiException  # type: ignore[import-untyped]  # as above

from elastic.demo_inventory import GENERATED, NAMED
from local.services import Services
from tests.support.waiting import eventually

_PATIENCE_SECONDS = 30
_QUERY = "Hostname = octoxlabs*"


@pytest.fixture
def connect(services: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes a client that is pointed at the gateway the way its users do it."""
    monkeypatch.setenv("OCTOXLABS_URL", services.gateway_url)
    return lambda token: OctoxLabs(ip="not used", token=token)


@pytest.fixture
def octo(connect: Callable[[str], Any], api_key: str) -> Any:
    """A client that has come in."""
    return connect(api_key)


def _names(devices: list[dict[str, list[Any]]]) -> list[str]:
    return [device["Hostname"][0] for device in devices]


def test_it_comes_in_with_an_api_key_and_pings(octo: Any) -> None:
    assert octo.ping() is True


def test_it_does_not_come_in_with_anything_else(connect: Callable[[str], Any]) -> None:
    with pytest.raises(ApiException, match="401.*unauthenticated"):
        connect("no key of ours")


def test_it_searches_devices_whose_every_value_is_a_list(octo: Any) -> None:
    count, devices = octo.search_devices(_QUERY, fields=["Hostname", "Ip", "OS.Type"])
    assert (count, len(devices)) == (NAMED, NAMED)
    for device in devices:
        assert set(device) == {"Hostname", "Ip", "OS.Type"}
        assert all(isinstance(value, list) for value in device.values())


def test_it_searches_everything_by_default(octo: Any) -> None:
    count, devices = octo.search_devices()
    assert (count, len(devices)) == (GENERATED + NAMED, 50)


def test_it_pages_in_the_order_that_it_asks_for(octo: Any) -> None:
    ordering = [{"field": "Hostname", "order": "desc"}]
    pages = [octo.search_devices(_QUERY, page=page, size=5, ordering=ordering)[1] for page in (1, 2, 3)]
    names = [name for page in pages for name in _names(page)]
    assert names == [f"octoxlabs{number:02}" for number in range(NAMED, 0, -1)]


def test_it_is_told_to_scroll_beyond_ten_thousand_devices(octo: Any) -> None:
    with pytest.raises(ApiException, match="400.*search_scroll_devices"):
        octo.search_devices(page=11, size=1000)


def test_it_scrolls_until_nothing_comes(octo: Any) -> None:
    found: list[str] = []
    count, scroll_id, devices = octo.search_scroll_devices(_QUERY, size=5)
    while devices:
        found += _names(devices)
        count, scroll_id, devices = octo.search_scroll_devices(_QUERY, scroll_id=scroll_id, size=5)
    assert count == len(found) == len(set(found)) == NAMED


def test_it_looks_a_device_up_in_the_last_discovery(octo: Any) -> None:
    device = octo.get_device_detail("octoxlabs01")
    assert device["Hostname"] == ["octoxlabs01"]
    assert all(isinstance(value, list) for value in device.values())
    assert octo.get_device_detail("octoxlabs01", discovery=octo.get_last_discovery()) == device
    with pytest.raises(ApiException, match="404.*not_found"):
        octo.get_device_detail("nobody")


def test_the_last_discovery_is_done_and_its_times_can_be_read(octo: Any) -> None:
    discovery = octo.get_last_discovery()
    assert (discovery.id, discovery.hr_status) == (1, "Done")
    assert discovery.parsed_start_time < discovery.parsed_end_time


def test_a_query_that_is_wrong_says_where(octo: Any) -> None:
    with pytest.raises(ApiException, match="400.*unknown_field.*caret"):
        octo.search_devices("Hostnme = octoxlabs*")


@pytest.mark.parametrize("call", ["get_adapters", "get_queries", "get_users", "search_users", "search_avm"])
def test_a_call_that_the_gateway_does_not_have_is_a_404_that_says_so(call: str, octo: Any) -> None:
    with pytest.raises(ApiException, match="404.*octoxlabs client"):
        getattr(octo, call)()


def test_its_searches_end_up_in_the_audit_index(octo: Any, services: Services) -> None:
    query = f"Hostname = {uuid.uuid4()}"
    assert octo.search_devices(query) == (0, [])
    url = f"{services.servers.elasticsearch.url}/query-logs-*/_search"
    wanted = {"query": {"term": {"sluice.query": query}}}
    (hit,) = eventually(
        lambda: urllib3.request("POST", url, json=wanted).json()["hits"]["hits"], "the search is in the audit index"
    )
    assert hit["_source"]["user"]["name"] == "octoAdmin"
    assert hit["_source"]["user_agent"]["original"].startswith("python-requests/")
