"""Refresh tokens: each renews its log-in once, and ends with the log-in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from rest_framework.exceptions import AuthenticationFailed

from gateway.identity.models import DeniedToken, RefreshFamily, User
from gateway.identity.refresh_tokens import (
    REPEAT_SECONDS,
    ReusedToken,
    end_family,
    find_family,
    refresh_token,
    renew,
    start_family,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def user(db: None) -> User:
    """The user who logs in."""
    del db
    return User.objects.create_user("grace", password="correct horse battery staple")


@pytest.fixture
def token(user: User) -> str:
    """The first token of a log-in."""
    return refresh_token(start_family(user, NOW))


def test_a_token_renews_its_log_in(token: str, user: User) -> None:
    family = renew(token, NOW)
    assert family.user == user
    assert renew(refresh_token(family), NOW).pk == family.pk


def test_a_token_that_is_shown_again_within_ten_seconds_has_the_same_successor(token: str) -> None:
    successor = refresh_token(renew(token, NOW))
    assert refresh_token(renew(token, NOW + timedelta(seconds=REPEAT_SECONDS))) == successor
    assert RefreshFamily.objects.get().generation == 1
    renew(successor, NOW + timedelta(seconds=REPEAT_SECONDS))


def test_a_token_that_is_shown_again_later_says_whose_log_in_is_to_be_ended(token: str) -> None:
    family = renew(token, NOW)
    with pytest.raises(ReusedToken, match="has been used before") as caught:
        renew(token, NOW + timedelta(seconds=REPEAT_SECONDS, microseconds=1))
    assert caught.value.family == family


def test_a_token_whose_successor_has_been_used_says_so_at_once(token: str) -> None:
    family = renew(refresh_token(renew(token, NOW)), NOW)
    with pytest.raises(ReusedToken) as caught:
        renew(token, NOW)
    assert caught.value.family == family


def test_a_token_of_a_log_in_that_ends_meanwhile_has_no_successor(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_family(token, NOW)
    renew(token, NOW)
    end_family(RefreshFamily.objects.get(), NOW)
    monkeypatch.setattr("gateway.identity.refresh_tokens.find_family", lambda *_: found)
    with pytest.raises(ReusedToken):
        renew(token, NOW)


def _revoke(family: RefreshFamily) -> None:
    end_family(family, NOW)


def _expire(family: RefreshFamily) -> None:
    RefreshFamily.objects.filter(pk=family.pk).update(expires_at=NOW)


def _deactivate(family: RefreshFamily) -> None:
    User.objects.filter(pk=family.user_id).update(is_active=False)


def _change_password(family: RefreshFamily) -> None:
    family.user.set_password("another horse")
    family.user.save()


@pytest.mark.parametrize("end", [_revoke, _expire, _deactivate, _change_password])
def test_no_token_of_a_log_in_that_has_ended_renews_it(end: Callable[[RefreshFamily], None], token: str) -> None:
    end(RefreshFamily.objects.get())
    assert find_family(token, NOW) is None
    with pytest.raises(AuthenticationFailed, match="unknown, revoked or expired"):
        renew(token, NOW)


def test_a_token_with_another_signature_is_unknown(token: str) -> None:
    assert find_family(token[:-1] + ("A" if token[-1] != "A" else "B"), NOW) is None


def test_a_log_in_that_ends_denies_its_access_tokens(token: str) -> None:
    del token
    family = RefreshFamily.objects.get()
    end_family(family, NOW)
    assert [each.identifier for each in DeniedToken.objects.all()] == [family.pk.hex]


def test_a_log_in_deletes_those_that_have_expired(token: str, user: User) -> None:
    del token
    later = NOW + timedelta(seconds=settings.GATEWAY.jwt_refresh_seconds)
    start_family(user, later)
    assert [family.started_at for family in RefreshFamily.objects.all()] == [later]


def test_a_password_that_was_changed_since_it_was_checked_begins_no_log_in(user: User) -> None:
    checked = User.objects.get(pk=user.pk)
    user.set_password("another horse")
    user.save()
    with pytest.raises(AuthenticationFailed, match="has just been changed"):
        start_family(checked, NOW)
