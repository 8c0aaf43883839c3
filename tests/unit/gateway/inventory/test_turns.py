"""Parts of the worker."""

import logging
import threading

import pytest

from gateway.inventory.turns import PartEnded, run_parts


def test_an_error_that_a_part_does_not_expect_ends_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    stopping = threading.Event()
    ended: list[str] = []

    def fail(_stopping: threading.Event) -> None:
        raise KeyError("_all")

    def work(stopping: threading.Event) -> None:
        stopping.wait()
        ended.append("relay")

    with caplog.at_level(logging.ERROR), pytest.raises(PartEnded, match="rebuild"):
        run_parts({"rebuild": fail, "relay": work}, stopping)
    assert ended == ["relay"]
    [record] = caplog.records
    assert "the part rebuild of the worker has failed" in record.getMessage()
    assert record.exc_info is not None


def test_parts_end_when_they_are_told_to() -> None:
    def work(stopping: threading.Event) -> None:
        stopping.wait()

    stopping = threading.Event()
    stopping.set()
    run_parts({"relay": work}, stopping)
