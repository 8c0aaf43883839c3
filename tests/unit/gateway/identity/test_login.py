"""Logging in by password: failures are counted, and tell nothing of which names are known."""

import threading
import uuid

import pytest
from pytest_django import Settings
from rest_framework.exceptions import AuthenticationFailed

from gateway.http.problems import Problem, Unavailable
from gateway.identity.login import HASHES_AT_ONCE, hashing, log_in_with_password
from gateway.identity.models import User

PASSWORD = "correct horse battery staple"


@pytest.fixture
def address() -> str:
    """An address that no other test logs in from."""
    return f"2001:db8:{uuid.uuid4().hex[:4]}:{uuid.uuid4().hex[:4]}::1"


@pytest.fixture(name="grace")
def fixture_grace(db: None, settings: Settings) -> User:
    """A user, who may be mistaken twice."""
    del db
    settings.GATEWAY = settings.GATEWAY.model_copy(
        update={"login_failures": "2/hour", "address_login_failures": "4/hour"}
    )
    return User.objects.create_user("grace", password=PASSWORD)


def _fail(name: str, address: str) -> str:
    with pytest.raises(AuthenticationFailed) as caught:
        log_in_with_password(name, "wrong", address)
    return str(caught.value.detail)


def test_a_password_finds_its_user(grace: User, address: str) -> None:
    assert log_in_with_password("grace", PASSWORD, address) == grace


def test_an_unknown_name_fails_as_a_wrong_password_and_an_inactive_user_do(grace: User, address: str) -> None:
    grace.is_active = False
    grace.save()
    User.objects.create_user("ada", password=PASSWORD)
    failures = {_fail("ada", address), _fail("nobody", address)}
    with pytest.raises(AuthenticationFailed) as caught:
        log_in_with_password("grace", PASSWORD, address)
    assert failures == {str(caught.value.detail)}


def test_failures_of_a_name_at_an_address_are_limited_even_for_the_right_password(grace: User, address: str) -> None:
    _fail("grace", address)
    _fail("grace", address)
    with pytest.raises(Problem, match="Failing log-ins") as caught:
        log_in_with_password("grace", PASSWORD, address)
    assert caught.value.status == 429
    # Failures elsewhere lock no user out.
    assert log_in_with_password("grace", PASSWORD, "192.0.2.1") == grace


@pytest.mark.usefixtures("grace")
def test_failures_of_an_address_are_limited_whatever_the_names(address: str) -> None:
    for number in range(4):
        _fail(f"name-{number}", address)
    with pytest.raises(Problem, match="Failing log-ins"):
        log_in_with_password("another", "wrong", address)


@pytest.mark.usefixtures("grace")
def test_more_log_ins_at_once_than_may_be_hashed_are_refused(address: str) -> None:
    entered = threading.Barrier(HASHES_AT_ONCE + 1)
    go = threading.Event()

    def hold() -> None:
        with hashing():
            entered.wait()
            go.wait()

    threads = [threading.Thread(target=hold) for _ in range(HASHES_AT_ONCE)]
    for thread in threads:
        thread.start()
    entered.wait()
    try:
        with pytest.raises(Unavailable, match="Too many log-ins at once"):
            log_in_with_password("grace", PASSWORD, address)
    finally:
        go.set()
        for thread in threads:
            thread.join()
