"""Logging in: by password, and how often that may fail; by API key.

Failing passwords are counted by what was typed (a name or a mail address) and the client's address together, and by the
client's address alone; never by name alone, which would let anybody lock anybody out. Whether a name is known, or whose
a mail address is, shows in nothing: the answer, the work and the counting are the same.

Why: guesses at one name from many addresses are not added up, as counting by name is the classic lock-out; the events
show them. The administration's log-in counts in the same way.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.contrib.auth import authenticate
from rest_framework.exceptions import AuthenticationFailed

from gateway.http.client_address import neighbourhood
from gateway.http.problems import Code, Unavailable, throttled
from gateway.http.rate_limits import hit, test
from gateway.identity.api_keys import find_key
from gateway.identity.metrics import LOG_INS
from gateway.identity.models import ApiKey, User

HASHES_AT_ONCE = 4
"""Password hashes that a process makes at one time, each 19 MiB and some 20 ms: log-ins leave the threads to others."""

_hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)


def name_of_typed(text: str) -> str:
    """The name of a user who has typed it, or the mail address, into one field; a name goes before an address."""
    if "@" not in text or User.objects.filter(username=text).exists():
        return text
    return name_of_address(text.lower())


def name_of_address(email: str) -> str:
    """The name of the user of a mail address; of an unknown one the address itself, so that the work is the same."""
    return User.objects.filter(email=email).values_list("username", flat=True).first() or email


def log_in_with_password(username: str, password: str, address: str, typed: str | None = None) -> User:
    """Find the active user of a name and password.

    Args:
        username: of that user.
        password: as it was typed.
        address: where the request comes from.
        typed: what was typed, where it is not the name. Failures are counted by it: counted by the name that it leads
            to, they would tell whose it is.

    Raises:
        AuthenticationFailed: they are not of an active user.
        Problem: 429, there were too many failures.
        Unavailable: as many log-ins as may be are being looked at.
    """
    place = neighbourhood(address)
    budgets = (
        (
            "login-failures-of-name",
            settings.GATEWAY.login_failures,
            sha256(f"{place} {typed or username}".encode()).hexdigest(),
        ),
        ("login-failures-of-address", settings.GATEWAY.address_login_failures, place),
    )
    with hashing():
        for budget, rate, key in budgets:
            seconds = test(budget, rate, key)
            if seconds:
                LOG_INS.labels("password", "throttled").inc()
                raise throttled("Failing log-ins", rate, seconds)
        user = _user_of(username, password)
        if user is None:
            for budget, rate, key in budgets:
                hit(budget, rate, key)
            LOG_INS.labels("password", "refused").inc()
            raise AuthenticationFailed("The username or the password is wrong, or the user is not active.")
        LOG_INS.labels("password", "ok").inc()
        return user


def log_in_with_key(text: str, now: datetime) -> ApiKey:
    """Find the API key of a text; its ``user`` is who logs in.

    Failures lock nothing: 256 random bits cannot be guessed, and a good key is not to suffer from its neighbours.

    Raises:
        AuthenticationFailed: it is no API key that is good now.
    """
    key = find_key(text, now)
    LOG_INS.labels("api-key", "refused" if key is None else "ok").inc()
    if key is None:
        raise AuthenticationFailed("The API key is unknown, revoked or expired.")
    return key


def _user_of(username: str, password: str) -> User | None:
    user = authenticate(username=username, password=password)
    return user if isinstance(user, User) else None


@contextmanager
def hashing() -> Iterator[None]:
    """Take one of the places for making password hashes.

    Raises:
        Unavailable: all are taken.
    """
    if not _hashing.acquire(blocking=False):
        raise Unavailable(Code.OVERLOADED, "Too many log-ins at once; try again.")
    try:
        yield
    finally:
        _hashing.release()
