"""Calls made once for all who need them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.http.coalesced import Coalesced
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
