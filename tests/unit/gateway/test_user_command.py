"""``python -m gateway user``."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from gateway.identity.models import EVERY_INDEX, Role, User

PASSWORD = "correct horse battery staple"


def _run(name: str, **options: object) -> str:
    printed = io.StringIO()
    call_command("user", name, stdout=printed, **options)
    return printed.getvalue().strip()


@pytest.mark.django_db
def test_a_new_name_becomes_a_known_active_searcher_of_every_index_who_has_no_password() -> None:
    assert _run("octoAdmin") == "created: octoAdmin"
    user = User.objects.get(username="octoAdmin")
    assert user.is_active
    assert (user.role, user.granted_indices) == (Role.SEARCHER, [EVERY_INDEX])
    assert not user.has_usable_password()


@pytest.mark.django_db
def test_a_known_name_is_activated_and_otherwise_left_alone() -> None:
    User.objects.create_user("octoAdmin", password="kept", is_active=False, role=Role.AUDITOR, granted_indices=["a"])
    assert _run("octoAdmin") == "known: octoAdmin"
    assert _run("octoAdmin") == "known: octoAdmin"
    user = User.objects.get(username="octoAdmin")
    assert user.is_active
    assert (user.role, user.granted_indices) == (Role.AUDITOR, ["a"])
    assert user.check_password("kept")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "x" * 151, "a/b"])
def test_what_is_no_user_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError):
        _run(name)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_role_and_the_indices_are_set_and_changed() -> None:
    _run("ayşe", role="auditor", indices="devices, assets")
    user = User.objects.get(username="ayşe")
    assert (user.role, user.granted_indices) == (Role.AUDITOR, ["devices", "assets"])
    _run("ayşe", indices="")
    user.refresh_from_db()
    assert (user.role, user.granted_indices) == (Role.AUDITOR, [])


@pytest.mark.django_db
def test_the_password_is_the_first_line_of_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\nmore\n"))
    _run("octoAdmin", password=True)
    user = User.objects.get(username="octoAdmin")
    assert user.check_password(PASSWORD)
    assert user.password.startswith("argon2$")


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["", "short", "password1234", "123456789012345"])
def test_a_weak_password_is_refused_and_nothing_is_changed(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
    with pytest.raises(CommandError):
        _run("octoAdmin", password=True)
    assert not User.objects.exists()
