"""The cache of documents in a real Redis: newest version wins, and nothing depends on it."""

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pydantic import SecretStr
from pytest_django import Settings
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.identity.models import Role, User
from gateway.inventory.cache import KEPT_SECONDS, CachedDocument, DocumentCache, document_cache
from gateway.inventory.models import Document
from local import ports
from tests.support.gateway import AUTHORIZATION
from tests.support.process import Process, find_program
from tests.support.waiting import eventually

PATH = "/inventory/product/H-1"
KEY = "sluice:document:product/H-1"


class RedisServer:
    """A redis-server of the test's own, which keeps nothing on a disk."""

    def __init__(self) -> None:
        self.port = ports.free(1)[0]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis.from_url(self.url)
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = Process(find_program("redis-server"), *options, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process.start()
        eventually(self._answers, "Redis answers")

    def stop(self) -> None:
        """End it."""
        if self._process.is_running:
            self._process.stop()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisConnectionError:
            return False


@pytest.fixture
def redis(stack: Settings) -> Iterator[RedisServer]:
    """Redis, as the gateway's cache."""
    User.objects.update(role=Role.ADMIN)
    server = RedisServer()
    server.start()
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"redis_url": SecretStr(server.url)})
    yield server
    server.stop()


@pytest.fixture
def product(redis: RedisServer, client: Client) -> Client:
    """A client, after the first version of a document was written."""
    del redis
    assert _put(client, 1).status_code == 201
    return client


def _put(client: Client, price: int, **headers: str) -> Any:
    document = {"sku": "H-1", "name": "Hammer", "price": price}
    return client.put(PATH, document, content_type="application/json", headers=AUTHORIZATION | headers)


def _price(client: Client, **headers: str) -> tuple[str, float]:
    answer = client.get(PATH, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer["ETag"], answer.json()["price"]


def _make_rows_unlike_the_cache() -> None:
    """Change the row behind the cache's back, so that it shows where a read comes from."""
    Document.objects.filter(document_id="H-1").update(body='{"sku":"H-1","name":"Hammer","price":99}', version=9)


def _cache() -> DocumentCache:
    cache = document_cache()
    assert cache is not None
    return cache


def test_a_document_is_read_from_the_cache_for_a_minute_once_it_was_read(product: Client, redis: RedisServer) -> None:
    assert _price(product) == ('"1"', 1)
    assert redis.client.ttl(KEY) in range(1, KEPT_SECONDS + 1)
    _make_rows_unlike_the_cache()
    assert _price(product) == ('"1"', 1)
    redis.client.delete(KEY)
    assert _price(product) == ('"9"', 99)


def test_a_token_or_a_precondition_reads_the_database(product: Client) -> None:
    token = {"X-Consistency-Token": _put(product, 2, **{"If-Match": '"1"'})["X-Consistency-Token"]}
    _price(product)
    _make_rows_unlike_the_cache()
    assert _price(product) == ('"2"', 2)
    assert _price(product, **token) == ('"9"', 99)
    assert _price(product, **{"If-None-Match": '"2"'}) == ('"9"', 99)


def test_a_precondition_of_a_write_never_asks_the_cache(product: Client, redis: RedisServer) -> None:
    _price(product)
    redis.client.hset(KEY, mapping={"version": 7, "body": b'{"sku":"H-1","name":"Hammer","price":7}'})
    assert _put(product, 2, **{"If-Match": '"7"'}).status_code == 412
    assert _put(product, 2, **{"If-Match": '"1"'}).status_code == 200


def test_a_slow_reader_puts_no_old_version_over_a_newer_one(product: Client) -> None:
    cache = _cache()
    slow = CachedDocument("product", "H-1", 1, b'{"price":1}')
    newer = CachedDocument("product", "H-1", 2, b'{"price":2}')
    cache.store([newer])
    cache.store([slow])
    assert cache.find("product", "H-1") == newer
    # Also not over a tombstone, and not within one call.
    tombstone = CachedDocument("product", "H-1", 3, None)
    cache.store([tombstone, newer])
    cache.store([newer])
    assert cache.find("product", "H-1") == tombstone
    assert product.get(PATH).status_code == 410
    again = CachedDocument("product", "H-1", 10, b'{"price":10}')
    cache.store([again])
    assert cache.find("product", "H-1") == again


def test_a_deleted_document_is_a_tombstone_and_one_that_never_was_is_not_kept(
    product: Client, redis: RedisServer
) -> None:
    product.delete(PATH, headers=AUTHORIZATION | {"If-Match": "*"})
    assert product.get(PATH).status_code == 410
    assert redis.client.hgetall(KEY) == {b"version": b"2"}
    assert product.get("/inventory/product/none").status_code == 404
    assert redis.client.keys("sluice:document:*") == [KEY.encode()]


def test_reads_go_on_from_the_database_while_the_cache_is_flushed_broken_or_down(
    product: Client, redis: RedisServer
) -> None:
    _price(product)
    _make_rows_unlike_the_cache()
    redis.client.flushall()
    assert _price(product) == ('"9"', 99)
    redis.client.delete(KEY)
    redis.client.set(KEY, b"no hash at all")
    assert _price(product) == ('"9"', 99)
    redis.stop()
    for _ in range(5):
        assert _price(product) == ('"9"', 99)
    assert _put(product, 3, **{"If-Match": '"9"'}).status_code == 200
    assert _price(product) == ('"10"', 3)
    redis.start()
    eventually(lambda: _price(product) == ('"10"', 3) and redis.client.exists(KEY), "the cache is used again")


def test_a_document_below_another_is_read_where_it_stands(product: Client) -> None:
    _cache().store([CachedDocument("plan-service", "a", 1, b'{"copay":1}')])
    assert product.get("/inventory/plan/none/plan-service/a", headers=AUTHORIZATION).status_code == 404
