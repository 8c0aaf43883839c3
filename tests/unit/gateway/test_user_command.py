"""``python -m gateway user``."""

import io

import pytest
from django.core.management import CommandError, call_command

from gateway.models import User


def _run(name: str) -> str:
    printed = io.StringIO()
    call_command("user", name, stdout=printed)
    return printed.getvalue().strip()


@pytest.mark.django_db
def test_a_new_name_becomes_a_known_active_user_who_has_no_password() -> None:
    assert _run("octoAdmin") == "created: octoAdmin"
    user = User.objects.get(username="octoAdmin")
    assert user.is_active
    assert not user.has_usable_password()


@pytest.mark.django_db
def test_a_known_name_is_activated_and_otherwise_left_alone() -> None:
    User.objects.create_user("octoAdmin", password="kept", is_active=False)
    assert _run("octoAdmin") == "known: octoAdmin"
    assert _run("octoAdmin") == "known: octoAdmin"
    user = User.objects.get(username="octoAdmin")
    assert user.is_active
    assert user.check_password("kept")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "x" * 151, "a/b"])
def test_what_is_no_user_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError):
        _run(name)
    assert not User.objects.exists()
