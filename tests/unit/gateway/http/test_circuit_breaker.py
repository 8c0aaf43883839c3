"""When a dependency is left alone, and when it is asked again."""

import threading
from collections.abc import Callable

import pytest

from gateway.http.circuit_breaker import FAILURES, RECOVERY_SECONDS, Circuit
from gateway.http.problems import Code, Problem, RejectedQuery, Unanswered, Unavailable

DOWN = Unavailable(Code.SEARCH_UNAVAILABLE, "down")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the library's clock."""
    now = [1_000.0]
    monkeypatch.setattr("circuitbreaker.monotonic", lambda: now[0])

    def forward(seconds: float) -> None:
        now[0] += seconds

    return forward


def _call(circuit: Circuit, error: Problem | None = None) -> bool:
    """Whether the call was made."""
    made = False
    try:
        with circuit.closed():
            made = True
            if error is not None:
                raise error
    except Problem:
        pass
    return made


def _opened() -> Circuit:
    circuit = Circuit("test", Code.SEARCH_UNAVAILABLE)
    for _ in range(FAILURES):
        assert _call(circuit, DOWN)
    return circuit


def test_after_so_many_failures_in_a_row_no_call_is_made() -> None:
    with pytest.raises(Unavailable) as refused, _opened().closed():
        pytest.fail("a call was made")
    assert refused.value.code is Code.SEARCH_UNAVAILABLE
    assert int(refused.value.headers["Retry-After"]) > 0


@pytest.mark.parametrize("answer", [None, RejectedQuery(Code.SYNTAX, "no query")])
def test_an_answer_of_any_kind_ends_the_row(answer: Problem | None) -> None:
    circuit = Circuit("test", Code.SEARCH_UNAVAILABLE)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            assert _call(circuit, DOWN)
        assert _call(circuit, answer)


@pytest.mark.parametrize("code", [Code.DEADLINE, Code.TRANSLATOR_UNAVAILABLE])
def test_a_problem_that_is_not_its_fault_is_not_counted(code: Code) -> None:
    circuit = Circuit("test", Code.SEARCH_UNAVAILABLE)
    assert all(_call(circuit, Unavailable(code, "not Elasticsearch")) for _ in range(FAILURES + 1))


def test_a_request_without_an_answer_is_not_counted() -> None:
    circuit = Circuit("test", Code.SEARCH_UNAVAILABLE)
    too_slow = Unanswered(Code.SEARCH_UNAVAILABLE, "too much was asked")
    assert all(_call(circuit, too_slow) for _ in range(FAILURES + 1))


def test_after_a_while_one_call_is_made_to_see_and_its_success_lets_all_through(clock: Callable[[float], None]) -> None:
    circuit = _opened()
    clock(RECOVERY_SECONDS - 1)
    assert not _call(circuit)
    clock(2)
    trying, finish = threading.Event(), threading.Event()

    def trial() -> None:
        with circuit.closed():
            trying.set()
            finish.wait()

    thread = threading.Thread(target=trial)
    thread.start()
    trying.wait()
    assert not _call(circuit)
    finish.set()
    thread.join()
    assert _call(circuit)


def test_a_trial_that_fails_leaves_it_alone_for_as_long_again(clock: Callable[[float], None]) -> None:
    circuit = _opened()
    clock(RECOVERY_SECONDS + 1)
    assert _call(circuit, DOWN)
    assert not _call(circuit)
    clock(RECOVERY_SECONDS + 1)
    assert _call(circuit)


@pytest.mark.parametrize(("name", "who"), [("translator", "The translator"), ("Elasticsearch", "Elasticsearch")])
def test_a_dependency_that_is_left_alone_is_called_by_its_name(name: str, who: str) -> None:
    circuit = Circuit(name, Code.SEARCH_UNAVAILABLE)
    for _ in range(FAILURES):
        _call(circuit, DOWN)
    with pytest.raises(Unavailable, match=f"^{who} has failed repeatedly"), circuit.closed():
        pass
