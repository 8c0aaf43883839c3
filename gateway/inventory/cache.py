"""Cache of documents in Redis: by type and id, a minute each, deletions as tombstones.

Readers fill it from the database, and the relay as it publishes; both only with a version newer than the one that is
there, which a script compares in Redis. So a slow reader never puts an old version over a new one. It is asked by reads
of one document alone: a request with a token or a precondition reads the database. While Redis is down, everybody does.

Why one key a document with its version in it, instead of deleting a key at each write: a reader that has read the row
before the write would fill it in again afterwards.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # comes without types
from django.conf import settings
from pydantic import SecretStr

from contracts.inventory_change.change import InventoryChange
from contracts.raw_json import NULL
from gateway.http.per_process import PerProcess
from gateway.inventory.history import read_row
from gateway.inventory.metrics import DOCUMENT_CACHE
from gateway.inventory.preconditions import State, require_live
from gateway.inventory.writes import Place

logger = logging.getLogger(__name__)

KEPT_SECONDS = 60
_REDIS_SECONDS = 0.2
_REDIS_PAUSE_SECONDS = 5

# A tombstone has no body. Versions are below 2^53, which Lua's numbers hold exactly.
_STORE = """
local known = tonumber(redis.call('HGET', KEYS[1], 'version'))
if known and known >= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'version', ARGV[1])
if ARGV[3] then redis.call('HSET', KEYS[1], 'body', ARGV[3]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class CachedDocument:
    """Version of a document; one without a body is deleted."""

    type: str
    document_id: str
    version: int
    body: bytes | None


class DocumentCache:
    """The documents in one Redis. It fails open: what fails is a miss, and nothing is asked for a few seconds.

    Args:
        url: of Redis.
    """

    def __init__(self, url: SecretStr) -> None:
        # They load so much that a gateway without Redis would start noticeably later.
        from redis import Redis, RedisError  # pylint: disable=import-outside-toplevel
        from redis.backoff import NoBackoff  # pylint: disable=import-outside-toplevel
        from redis.retry import Retry  # pylint: disable=import-outside-toplevel

        self._redis = Redis.from_url(
            url.get_secret_value(),
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._error = RedisError
        self._breaker = CircuitBreaker(1, _REDIS_PAUSE_SECONDS, RedisError, "document cache")

    def find(self, type_: str, document_id: str) -> CachedDocument | None:
        """The document, or its tombstone; None where the cache does not have it."""
        version, body = self._try(lambda: self._redis.hmget(_key(type_, document_id), ["version", "body"])) or (
            None,
            None,
        )
        DOCUMENT_CACHE.labels("miss" if version is None else "hit").inc()
        return None if version is None else CachedDocument(type_, document_id, int(version), body)

    def store(self, documents: Iterable[CachedDocument]) -> None:
        """Keep documents, each unless a newer version of it is there."""
        newest: dict[str, CachedDocument] = {}
        for each in documents:
            key = _key(each.type, each.document_id)
            if key not in newest or newest[key].version < each.version:
                newest[key] = each
        if newest:
            self._try(partial(self._store, newest))

    def _store(self, documents: dict[str, CachedDocument]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for key, each in documents.items():
            body = () if each.body is None else (each.body,)
            pipeline.eval(_STORE, 1, key, each.version, KEPT_SECONDS, *body)
        pipeline.execute()

    def _try(self, work: Callable[[], Any]) -> Any:
        """The result of work in Redis; None where it fails."""
        if self._breaker.opened:
            return None
        try:
            with self._breaker:
                return work()
        except self._error as error:
            DOCUMENT_CACHE.labels("failed").inc()
            if self._breaker.failure_count == 1:
                logger.warning("the document cache fails (%s): reads go to the database", error.__class__.__name__)
            return None


def document_cache() -> DocumentCache | None:
    """The cache; None without ``GATEWAY_REDIS_URL``."""
    return None if settings.GATEWAY.redis_url is None else _cache()


def read_document(place: Place, *, is_exact: bool) -> CachedDocument:
    """The document at a place, from the cache or the database.

    Args:
        is_exact: whether it has to be as it is now, in the database.

    Raises:
        Problem: 404, 410.
    """
    cache = document_cache()
    found = None if cache is None or is_exact else cache.find(place.declared.name, place.document_id)
    if found is None:
        row = read_row(place)
        body = None if row.body is None else row.body.encode()
        found = CachedDocument(row.type, row.document_id, row.version, body)
        if cache is not None:
            cache.store([found])
    require_live(State(found.version, is_live=found.body is not None))
    return found


def keep_published(changes: Iterable[InventoryChange]) -> None:
    """Keep the documents of changes that the relay has published."""
    cache = document_cache()
    if cache is not None:
        cache.store(
            CachedDocument(each.type, each.id, each.version, None if each.document == NULL else bytes(each.document))
            for each in changes
        )


def _key(type_: str, document_id: str) -> str:
    # No type has a slash in its name.
    return f"sluice:document:{type_}/{document_id}"


_cache = PerProcess(DocumentCache, lambda: (settings.GATEWAY.redis_url,))
