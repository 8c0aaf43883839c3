"""Assets of the inventory by a client's address, as Elasticsearch has them at the time."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import orjson

from kit.http_exchange import Answer, NoAnswer
from lake.metrics import ENRICHMENT_FAILURES
from lake.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 2.0
_KEPT_SECONDS = 60.0
_REST_SECONDS = 10.0
_MAX_KEPT = 65_536
_MAX_ADDRESSES = 5_000
_MAX_ASSETS = 10_000
"""As many as Elasticsearch gives in one answer."""


class Asset(NamedTuple):
    """A document's id, and who owns the thing."""

    id: str
    owner: str | None


class Exchange(Protocol):  # pylint: disable=too-few-public-methods  # one thing is asked
    """As ``elastic.exchange.ElasticsearchExchange`` has it."""

    def ask(self, method: str, target: str, *, timeout: float | None, body: bytes | None = None) -> Answer:
        """Send one request.

        Raises:
            NoAnswer: there is no answer.
        """


class Assets:  # pylint: disable=too-few-public-methods,too-many-instance-attributes  # one question, and what it keeps
    """Looks addresses up; without an index, or while Elasticsearch cannot be asked, nothing has an asset.

    Args:
        elasticsearch: the cluster with the inventory.
        settings: the index, and its fields.
        clock: seconds of any steady clock.
    """

    name = "assets"

    def __init__(
        self, elasticsearch: Exchange, settings: ServeSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.is_used = settings.asset_index is not None
        self._elasticsearch = elasticsearch
        self._settings = settings
        self._clock = clock
        self._target = f"/{settings.asset_index}/_search?ignore_unavailable=true&filter_path=hits.hits"
        self._kept: dict[str, Asset | None] = {}
        self._kept_until = 0.0
        self._rest_until = 0.0
        self._is_failing = False

    def of(self, addresses: Iterable[str]) -> Mapping[str, Asset | None]:
        """Find the assets of addresses; with one request of those that were not asked for within a minute.

        Returns:
            The asset of each address that has one; those with None, or missing, have none.
        """
        if not self.is_used:
            return {}
        now = self._clock()
        if now >= self._kept_until or len(self._kept) > _MAX_KEPT:
            self._kept = {}
            self._kept_until = now + _KEPT_SECONDS
        unknown = [address for address in set(addresses) if address not in self._kept][:_MAX_ADDRESSES]
        if unknown and now >= self._rest_until:
            self._look_up(unknown)
        return self._kept

    def _look_up(self, addresses: list[str]) -> None:
        try:
            answer = self._elasticsearch.ask(
                "POST", self._target, timeout=_ANSWER_SECONDS, body=orjson.dumps(self._search(addresses))
            )
            if answer.status != HTTPStatus.OK:
                raise ValueError(f"HTTP {answer.status}")
            hits = orjson.loads(answer.body).get("hits", {}).get("hits", [])
            found = dict.fromkeys(addresses) | self._by_address(hits, frozenset(addresses))
        except (NoAnswer, ValueError, LookupError, AttributeError, TypeError) as error:
            ENRICHMENT_FAILURES.labels(self.name).inc()
            self._rest_until = self._clock() + _REST_SECONDS
            if not self._is_failing:
                self._is_failing = True
                logger.error("the inventory cannot be asked, so that events have no asset: %s", error)
            return
        self._is_failing = False
        self._kept |= found

    def _search(self, addresses: list[str]) -> dict[str, Any]:
        fields = self._settings.asset_addresses
        return {
            "size": _MAX_ASSETS,
            "query": {"bool": {"should": [{"terms": {field: addresses}} for field in fields]}},
            "_source": [*fields, self._settings.asset_owner],
        }

    def _by_address(self, hits: list[dict[str, Any]], wanted: frozenset[str]) -> dict[str, Asset | None]:
        found: dict[str, Asset | None] = {}
        # Of several things at one address, always the same one.
        for hit in sorted(hits, key=lambda hit: str(hit["_id"]), reverse=True):
            asset = Asset(hit["_id"], next(iter(_texts(hit["_source"], self._settings.asset_owner)), None))
            for field in self._settings.asset_addresses:
                found |= {address: asset for address in _texts(hit["_source"], field) if address in wanted}
        return found


def _texts(source: dict[str, Any], path: str) -> list[str]:
    """The texts at a path of a document, however many."""
    value: Any = source
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]
