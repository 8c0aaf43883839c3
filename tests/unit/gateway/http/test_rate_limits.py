"""Budgets in the memory of the process, in Redis, and while Redis is away."""

import logging
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr
from pytest_django import Settings

from gateway.http import rate_limits
from gateway.http.rate_limits import MAX_KEYS, hit
from local import ports
from tests.support import redis_server

HOURLY = "3/hour"


@pytest.fixture
def budget() -> str:
    """A budget that no other test takes from."""
    return uuid.uuid4().hex


@pytest.fixture
def redis_port(settings: Settings) -> int:
    """Where the gateway looks for Redis; nothing listens there yet."""
    port = ports.free(1)[0]
    url = SecretStr(f"redis://127.0.0.1:{port}/0")
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"redis_url": url})
    return port


@pytest.fixture(params=["memory", "redis"])
def counters(request: pytest.FixtureRequest) -> Iterator[None]:
    """Count in each of the two places."""
    if request.param == "memory":
        yield
    else:
        with redis_server.serving(request.getfixturevalue("redis_port")):
            yield


@pytest.mark.usefixtures("counters")
def test_a_budget_is_taken_one_by_one_until_it_says_how_long_to_wait(budget: str) -> None:
    assert [hit(budget, HOURLY, "ada") for _ in range(3)] == [0, 0, 0]
    assert 1 <= hit(budget, HOURLY, "ada") <= 3600
    assert 1 <= rate_limits.test(budget, HOURLY, "ada") <= 3600


@pytest.mark.usefixtures("counters")
def test_looking_takes_nothing(budget: str) -> None:
    assert [rate_limits.test(budget, HOURLY, "ada") for _ in range(5)] == [0] * 5
    assert hit(budget, HOURLY, "ada") == 0


@pytest.mark.usefixtures("counters")
def test_keys_and_budgets_do_not_touch_each_other(budget: str) -> None:
    while hit(budget, HOURLY, "ada") == 0:
        pass
    assert hit(budget, HOURLY, "grace") == 0
    assert hit(f"{budget}-other", HOURLY, "ada") == 0


@pytest.mark.usefixtures("counters")
def test_an_empty_budget_fills_again_in_the_time_that_was_named(budget: str) -> None:
    while (seconds := hit(budget, "20/second", "ada")) == 0:
        pass
    assert seconds == 1
    refilled = threading.Event()
    refilled.wait(seconds)
    assert hit(budget, "20/second", "ada") == 0


def test_threads_together_get_no_more_than_the_budget(budget: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: hit(budget, "50/hour", "ada"), range(400)))
    assert answers.count(0) == 50


def test_processes_that_share_a_redis_share_the_budget(budget: str, redis_port: int, settings: Settings) -> None:
    with redis_server.serving(redis_port):
        while hit(budget, HOURLY, "ada") == 0:
            pass
        # Another address of the same Redis: a client of its own, as another process has.
        url = SecretStr(f"redis://localhost:{redis_port}/0")
        settings.GATEWAY = settings.GATEWAY.model_copy(update={"redis_url": url})
        assert hit(budget, HOURLY, "ada") > 0


@pytest.mark.usefixtures("redis_port")
def test_without_its_redis_a_process_counts_by_itself_and_says_so_once(
    budget: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answers = [hit(budget, HOURLY, "ada") for _ in range(5)]
    assert answers[:3] == [0, 0, 0]
    assert min(answers[3:]) > 0
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == ["Redis fails"]


def test_a_flood_of_keys_does_not_fill_the_memory_and_no_key_is_refused(budget: str) -> None:
    assert all(hit(budget, "1/hour", str(number)) == 0 for number in range(MAX_KEYS + 2))
    assert hit(budget, "1/hour", "0") == 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the counters in memory see, in its one place; it begins with a window of an hour."""
    time = [3600.0 * 1000]
    monkeypatch.setattr("gateway.http.rate_limits.time.monotonic", lambda: time[0])
    return time


def test_hits_in_the_window_before_count_by_how_much_of_it_is_still_in_sight(budget: str, clock: list[float]) -> None:
    assert [hit(budget, "4/hour", "ada") for _ in range(4)] == [0] * 4
    clock[0] += 3600 + 1800
    assert [hit(budget, "4/hour", "ada") for _ in range(2)] == [0, 0]
    assert hit(budget, "4/hour", "ada") > 0
    clock[0] += 3600
    # Two of the four were in the window before the last, and are over.
    assert [hit(budget, "4/hour", "ada") for _ in range(3)] == [0] * 3
    assert hit(budget, "4/hour", "ada") > 0


def test_after_the_time_that_was_named_there_is_one_again(budget: str, clock: list[float]) -> None:
    clock[0] += 600
    while (seconds := hit(budget, "4/hour", "ada")) == 0:
        clock[0] += 60
    waited = 0
    while seconds and waited < 3 * 3600:
        clock[0] += seconds
        waited += seconds
        seconds = hit(budget, "4/hour", "ada")
    assert 0 < waited < 3600 + 1800


def test_keys_that_are_over_make_room_for_others(budget: str, clock: list[float]) -> None:
    for number in range(MAX_KEYS - 1):
        hit(budget, "1/hour", str(number))
    clock[0] += 2 * 3600
    assert hit(budget, "1/hour", "ada") == 0
    assert hit(budget, "1/hour", "grace") == 0
    assert hit(budget, "1/hour", "ada") > 0, "nobody who still counts is forgotten for others who do not"
    assert len(rate_limits.memory[budget]) == 2
