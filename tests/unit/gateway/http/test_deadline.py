"""The deadline of a request, which every call to another service gets at most the rest of."""

import time

import pytest
from django.http import HttpRequest, HttpResponse
from pytest_django import Settings

from gateway.http.deadline import RECEIVED, keep_deadline, time_left
from gateway.http.problems import Code, Unavailable

SECONDS = 20.0


@pytest.fixture(autouse=True)
def _request_timeout(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"request_timeout": SECONDS})


def _time_left(at_most: float, received: float) -> float:
    """The time that a call gets in a request of that age."""
    request = HttpRequest()
    request.META[RECEIVED] = received
    answers: list[float] = []

    def view(_: HttpRequest) -> HttpResponse:
        answers.append(time_left(at_most))
        return HttpResponse()

    keep_deadline(view)(request)
    return answers[0]


def test_a_call_gets_its_own_time_while_the_request_has_more() -> None:
    assert _time_left(5.0, time.monotonic()) == 5.0


def test_a_call_gets_no_more_than_the_request_has_left() -> None:
    assert 0 < _time_left(5.0, time.monotonic() - SECONDS + 2) <= 2


def test_a_request_that_has_used_up_its_time_makes_no_call() -> None:
    with pytest.raises(Unavailable, match="within 20 s") as caught:
        _time_left(5.0, time.monotonic() - SECONDS)
    assert caught.value.code is Code.DEADLINE


def test_outside_of_a_request_a_call_gets_its_own_time() -> None:
    assert _time_left(5.0, time.monotonic()) == time_left(5.0) == 5.0
