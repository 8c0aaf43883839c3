"""Credentials that are accepted, and those that are not."""

import base64
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from gateway.identity.access_tokens import mint, read
from gateway.identity.authentication import (
    UNSIGNED,
    HeaderAuthentication,
    Identification,
    decode_username,
    still_allowed,
)
from gateway.identity.models import DeniedToken, User

OCTO_ADMIN = "Octoxlabs b2N0b0FkbWlu"


@pytest.fixture(autouse=True)
def unsigned_tokens(settings: Settings) -> None:
    """Accept them, as the embedded stack does."""
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"unsigned_tokens": True})


@pytest.fixture(autouse=True)
def octo_admin(db: None) -> User:
    """The one known user."""
    del db
    return User.objects.create(username="octoAdmin")


def _authenticate(**headers: str) -> Any:
    return HeaderAuthentication().authenticate(Request(RequestFactory().post("/search", headers=headers)))


def _encoded(name: str) -> str:
    return base64.b64encode(name.encode()).decode()


@pytest.mark.parametrize("header", [OCTO_ADMIN, "octoxlabs b2N0b0FkbWlu", "OCTOXLABS  b2N0b0FkbWlu "])
def test_the_base64_of_a_known_name_identifies_its_user(header: str, octo_admin: User) -> None:
    assert _authenticate(Authorization=header) == (octo_admin, Identification(UNSIGNED))


def test_a_request_without_the_header_has_no_user() -> None:
    assert _authenticate() is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Octoxlabs",
        "Octoxlabs ",
        "Octoxlabs b2N0b0FkbWlu b2N0b0FkbWlu",
        "Octoxlabs b2N0b0FkbWlu,Octoxlabs b2N0b0FkbWlu",
        "Octoxlabs b2N0b0FkbWl",
        "Octoxlabs b2N0b0FkbWlu=",
        "Octoxlabs *",
        "Octoxlabs b2N0b0FkbWlü",
        "Octoxlabs /////w==",
        "Octoxlabs " + "A" * 10_000,
        "Octoxlabs " + _encoded("octoAdmin\n"),
        "Octoxlabs " + _encoded("octoAdmin\0"),
        "Octoxlabs " + _encoded("OCTOADMIN"),
        "Octoxlabs " + _encoded("somebody"),
        "Bearer b2N0b0FkbWlu",
        "Basic b2N0b0FkbWlu",
    ],
)
def test_any_other_header_is_refused(header: str) -> None:
    with pytest.raises(AuthenticationFailed):
        _authenticate(Authorization=header)


def test_an_inactive_user_is_refused_in_the_words_for_an_unknown_one(octo_admin: User) -> None:
    octo_admin.is_active = False
    octo_admin.save()
    with pytest.raises(AuthenticationFailed) as inactive:
        _authenticate(Authorization=OCTO_ADMIN)
    with pytest.raises(AuthenticationFailed) as unknown:
        _authenticate(Authorization="Octoxlabs " + _encoded("somebody"))
    assert inactive.value.detail == unknown.value.detail


def test_unsigned_tokens_are_refused_where_they_are_off_and_the_refusal_says_so(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"unsigned_tokens": False})
    with pytest.raises(AuthenticationFailed, match="GATEWAY_UNSIGNED_TOKENS"):
        _authenticate(Authorization=OCTO_ADMIN)


@pytest.mark.parametrize("header", [None, "Octoxlabs c29tZWJvZHk="])
def test_a_refusal_is_a_problem_with_a_challenge(header: str | None, client: Client) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = client.post("/search", {"query": ""}, content_type="application/json", headers=headers)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == 'Octoxlabs realm="sluice", Bearer realm="sluice"'
    assert response.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("name", ["octoAdmin", "ayşe", "a" * 150, "用" * 150])
def test_every_possible_user_name_survives_its_encoding(name: str) -> None:
    assert decode_username(_encoded(name)) == name


def test_a_name_in_decomposed_letters_identifies_the_user_of_the_composed_one(octo_admin: User) -> None:
    known = User.objects.create_user(unicodedata.normalize("NFD", "jürgen"))
    assert known.username == "jürgen" == unicodedata.normalize("NFC", known.username)
    for form in ("NFC", "NFD"):
        found = _authenticate(Authorization=f"Octoxlabs {_encoded(unicodedata.normalize(form, 'jürgen'))}")
        assert found == (known, Identification(UNSIGNED)), form
    assert known != octo_admin


def test_the_longest_name_identifies_its_user_in_decomposed_letters_too() -> None:
    known = User.objects.create_user("한" * 150)
    decomposed = unicodedata.normalize("NFD", known.username)
    assert _authenticate(Authorization=f"Octoxlabs {_encoded(decomposed)}") == (known, Identification(UNSIGNED))


def test_a_user_who_was_let_in_is_looked_at_again(octo_admin: User) -> None:
    now = datetime.now(UTC)
    by_token = Identification("bearer-jwt", read(mint(octo_admin, "the log-in", now), now))
    unsigned = Identification(UNSIGNED)
    assert still_allowed(octo_admin, unsigned) == still_allowed(octo_admin, by_token) == octo_admin
    DeniedToken.objects.deny(["the log-in"], now)
    with pytest.raises(AuthenticationFailed):
        still_allowed(octo_admin, by_token)
    User.objects.update(is_active=False)
    with pytest.raises(AuthenticationFailed):
        still_allowed(octo_admin, unsigned)
