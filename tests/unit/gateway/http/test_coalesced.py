"""Calls made once for all who need them."""

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.http.coalesced import Coalesced, CoalescedByKey
from tests.support.waiting import eventually


def test_each_caller_gets_the_result_of_a_call_that_began_after_it_asked() -> None:
    number = 0
    may_end = threading.Semaphore(0)

    def call() -> int:
        nonlocal number
        number += 1
        mine = number
        may_end.acquire()  # pylint: disable=consider-using-with  # another thread releases it
        return mine

    coalesced = Coalesced(call)
    with ThreadPoolExecutor(10) as callers:
        first = callers.submit(coalesced)
        eventually(lambda: number == 1, "the first call is under way")
        others = [callers.submit(coalesced) for _ in range(8)]
        eventually(lambda: all(other.running() for other in others), "the others have asked")
        may_end.release()
        assert first.result() == 1
        for _ in range(8):
            may_end.release()
        results = [other.result() for other in others]
    assert set(results) <= {2, 3}
    assert number <= 3


def test_an_error_is_every_callers_and_no_later_one_s() -> None:
    fails = True

    def call() -> str:
        if fails:
            raise OSError("away")
        return "here"

    coalesced = Coalesced(call)
    with pytest.raises(OSError, match="away"):
        coalesced()
    fails = False
    assert coalesced() == "here"


def test_calls_of_a_key_are_one_at_a_time_however_many_other_keys_are_asked_for() -> None:
    under_way: list[str] = []
    together: list[int] = []
    may_end = threading.Semaphore(0)

    def call(key: str) -> str:
        if key == "slow":
            under_way.append(key)
            together.append(len(under_way))
            may_end.acquire()  # pylint: disable=consider-using-with  # another thread releases it
            under_way.remove(key)
        return key

    coalesced = CoalescedByKey(call)
    with ThreadPoolExecutor(3) as callers:
        slow = [callers.submit(coalesced, "slow")]
        eventually(lambda: bool(under_way), "the first call is under way")
        assert [coalesced(f"other-{number}") for number in range(2000)][-1] == "other-1999"
        slow += [callers.submit(coalesced, "slow") for _ in range(2)]
        eventually(lambda: all(each.running() for each in slow), "the others have asked")
        may_end.release(3)
        assert {each.result() for each in slow} == {"slow"}
    assert set(together) == {1}


def test_nothing_is_kept_of_a_key_that_nobody_waits_for() -> None:
    class Found:  # pylint: disable=too-few-public-methods  # it is what a call finds
        """The result of a call."""

    coalesced = CoalescedByKey(lambda _key: Found())
    found = weakref.ref(coalesced("key"))
    assert found() is None
