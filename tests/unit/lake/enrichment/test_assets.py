"""Assets of the inventory by address."""

import logging
from typing import Any

import orjson
import pytest

from kit.http_exchange import Answer, NoAnswer
from lake.enrichment.assets import Asset, Assets
from lake.serve.settings import ServeSettings

_SETTINGS = ServeSettings.model_validate({"asset_index": "devices"})
_DEVICES = [
    ("d2", {"Ip": ["10.0.0.1"], "Owner": "second"}),
    ("d1", {"Ip": ["10.0.0.1"], "IpAddresses": ["10.0.0.1", "fd00::1"], "Owner": "first"}),
    ("d3", {"Ip": "10.0.0.3"}),
]


class _Elasticsearch:  # pylint: disable=too-few-public-methods  # one thing is asked
    """Answers with all the devices, or not at all."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.status: int | None = 200
        self.now = 0.0

    def ask(self, method: str, target: str, *, timeout: float | None, body: bytes | None = None) -> Answer:
        """Note the addresses that were asked for."""
        assert (method, timeout) == ("POST", 2.0) and target.startswith("/devices/_search?") and body is not None
        terms = orjson.loads(body)["query"]["bool"]["should"]
        self.asked.append(sorted(terms[0]["terms"]["Ip"]))
        if self.status is None:
            raise NoAnswer("away")
        hits: list[dict[str, Any]] = [{"_id": each, "_source": source} for each, source in _DEVICES]
        return Answer(self.status, {}, bytearray(orjson.dumps({"hits": {"hits": hits}})))


@pytest.fixture
def elasticsearch() -> _Elasticsearch:
    """An inventory of three devices."""
    return _Elasticsearch()


@pytest.fixture
def assets(elasticsearch: _Elasticsearch) -> Assets:
    """Assets of that inventory."""
    return Assets(elasticsearch, _SETTINGS, lambda: elasticsearch.now)


def test_an_address_has_the_first_asset_that_has_it(assets: Assets) -> None:
    found = assets.of(["10.0.0.1", "fd00::1", "10.0.0.3", "10.0.0.9"])

    assert found == {
        "10.0.0.1": Asset("d1", "first"),
        "fd00::1": Asset("d1", "first"),
        "10.0.0.3": Asset("d3", None),
        "10.0.0.9": None,
    }


def test_an_address_is_asked_for_once_a_minute(assets: Assets, elasticsearch: _Elasticsearch) -> None:
    assets.of(["10.0.0.1", "10.0.0.1"])
    assets.of(["10.0.0.1", "10.0.0.2"])
    elasticsearch.now = 61.0
    assets.of(["10.0.0.1"])

    assert elasticsearch.asked == [["10.0.0.1"], ["10.0.0.2"], ["10.0.0.1"]]


@pytest.mark.parametrize("status", [None, 503])
def test_while_elasticsearch_is_away_nothing_has_an_asset_and_it_is_left_alone(
    assets: Assets, elasticsearch: _Elasticsearch, status: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    elasticsearch.status = status
    with caplog.at_level(logging.ERROR):
        for elasticsearch.now in (0.0, 1.0, 11.0):
            assert not assets.of(["10.0.0.1"])
    assert (len(elasticsearch.asked), len(caplog.records)) == (2, 1)

    elasticsearch.status, elasticsearch.now = 200, 22.0
    assert assets.of(["10.0.0.1"])["10.0.0.1"] == Asset("d1", "first")


def test_without_an_index_nothing_is_asked(elasticsearch: _Elasticsearch) -> None:
    assert not Assets(elasticsearch, ServeSettings()).of(["10.0.0.1"])
    assert not elasticsearch.asked
