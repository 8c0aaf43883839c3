"""API keys."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateway.identity.api_keys import find_key, issue_key
from gateway.identity.models import ApiKey, User

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def user(db: None) -> User:
    """The user who owns the keys."""
    del db
    return User.objects.create_user("octoAdmin")


def test_a_key_finds_its_user_and_notes_its_use(user: User) -> None:
    _, text = issue_key(user, "nightly export")
    found = find_key(text, NOW)
    assert found is not None
    assert found.user == user
    assert ApiKey.objects.get().last_used_at == NOW


def test_nothing_of_the_secret_is_kept(user: User) -> None:
    kept, text = issue_key(user, "nightly export")
    secret = text.removeprefix(f"sluice_{kept.id}_")
    assert len(secret) == 43
    assert all(secret not in str(value) for value in ApiKey.objects.values_list()[0])


def test_two_keys_have_nothing_in_common(user: User) -> None:
    first, second = issue_key(user, "a")[1], issue_key(user, "a")[1]
    assert not set(first.split("_", 2)[1:]) & set(second.split("_", 2)[1:])


def test_a_secret_goes_with_its_own_id_alone(user: User) -> None:
    first, second = issue_key(user, "a")[1], issue_key(user, "b")[1]
    assert find_key(first[:24] + second[24:], NOW) is None


@pytest.mark.parametrize(
    "mangle",
    [
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        str.upper,
        lambda text: text + "\n",
        lambda text: text.replace("sluice_", "", 1),
        lambda text: "",
        lambda text: "sluice_" + "0" * 16 + "_" + "A" * 43,
        lambda text: text[:-1] + "ş",
    ],
)
def test_any_other_text_finds_no_user_and_leaves_no_trace(mangle: Callable[[str], str], user: User) -> None:
    _, text = issue_key(user, "nightly export")
    assert find_key(mangle(text), NOW) is None
    assert ApiKey.objects.get().last_used_at is None


def test_a_key_ends_when_it_expires(user: User) -> None:
    _, text = issue_key(user, "for a day", expires_at=NOW)
    assert find_key(text, NOW - timedelta(microseconds=1)) is not None
    assert find_key(text, NOW) is None


def test_a_revoked_key_finds_no_user(user: User) -> None:
    _, text = issue_key(user, "leaked")
    ApiKey.objects.update(revoked_at=NOW)
    assert find_key(text, NOW) is None


def test_the_key_of_an_inactive_user_finds_no_user(user: User) -> None:
    _, text = issue_key(user, "of somebody who left")
    User.objects.update(is_active=False)
    assert find_key(text, NOW) is None
