"""Metrics of writers."""

from collections.abc import Callable

import orjson
import pytest
from prometheus_client import REGISTRY

from gateway.inventory.transactions import Overtaken, transact
from tests.unit.gateway.inventory.conftest import Ask

Counted = Callable[[], dict[str, float]]


@pytest.fixture
def counted() -> Counted:
    """Counts since the test began, by result."""

    def read() -> dict[str, float]:
        return {
            result: REGISTRY.get_sample_value("gateway_inventory_writes_total", {"result": result}) or 0.0
            for result in ("created", "replaced", "unchanged", "deleted", "failed")
        }

    before = read()
    return lambda: {result: count - before[result] for result, count in read().items() if count != before[result]}


def test_documents_are_counted_by_what_became_of_them_and_a_repeated_request_is_not(ask: Ask, counted: Counted) -> None:
    path, hammer = "/inventory/product/A-1", {"sku": "A-1", "name": "Hammer"}
    for _ in range(2):
        ask("PUT", path, hammer, Idempotency_Key="k")
    ask("PUT", path, hammer, If_Match='"1"')
    ask("PUT", path, hammer, If_Match='"7"')
    ask("PUT", path, hammer | {"name": "Saw"}, If_Match='"1"')
    ask("DELETE", path, If_Match='"2"')
    assert counted() == {"created": 1, "unchanged": 1, "replaced": 1, "deleted": 1}


def test_lines_of_an_import_are_counted_once(ask: Ask, counted: Counted) -> None:
    lines = [{"sku": "A-1", "name": "Hammer"}, {"sku": "A-2"}, {"sku": "A-3", "name": "Saw"}]
    body = b"\n".join(orjson.dumps(line) for line in lines)
    for _ in range(2):
        answer = ask("POST", "/inventory/product/import", body, media_type="application/x-ndjson", Idempotency_Key="k")
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content)
    assert counted() == {"created": 2, "failed": 1}


@pytest.mark.django_db
def test_a_transaction_that_is_made_again_is_counted_and_timed_as_one() -> None:
    def sample(name: str) -> float:
        return REGISTRY.get_sample_value(name) or 0.0

    repeats, writes = sample("gateway_inventory_write_repeats_total"), sample("gateway_inventory_write_seconds_count")
    attempts: list[int] = []

    def work() -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise Overtaken

    transact(work)
    assert sample("gateway_inventory_write_repeats_total") - repeats == 2
    assert sample("gateway_inventory_write_seconds_count") - writes == 1
