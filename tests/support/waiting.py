"""Waiting for outcomes, instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

import urllib3

WAIT_SECONDS = 60.0
_PAUSE_SECONDS = 0.05

T = TypeVar("T")


def eventually(outcome: Callable[[], T | None], what: str, within: float = WAIT_SECONDS) -> T:
    """Wait until an outcome is true.

    Args:
        outcome: asked again and again.
        what: the outcome in words, for the failure.
        within: seconds.

    Returns:
        the outcome.

    Raises:
        AssertionError: it is not true in time.
    """
    deadline = time.monotonic() + within
    while not (found := outcome()):
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(_PAUSE_SECONDS)
    return found


def is_up(url: str) -> bool:
    """Whether something answers there with success."""
    try:
        return urllib3.request("GET", url, retries=False, timeout=1.0).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def wait_until_up(url: str) -> None:
    """Wait until something answers there with success."""
    eventually(lambda: is_up(url), f"{url} answers")
