"""``python -m gateway user``."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from contracts.query_event.command import operator
from contracts.query_event.event import AuditEvent
from gateway.http.problems import Code, Unavailable
from gateway.identity.models import EVERY_INDEX, Role, User
from gateway.settings import GatewaySettings
from tests.support.paths import ROOT

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
def test_each_change_is_an_event_that_says_from_what_to_what_and_no_password(
    recorded: list[AuditEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    _run("ayse", role="searcher")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    _run("ayse", role="auditor", password=True)
    assert [event.data.query for event in recorded] == [
        'add user "ayse": is_active true, role "searcher"',
        'change user "ayse": role "searcher" to "auditor", password',
    ]
    assert {event.event_type for event in recorded} == {"admin.changed"}
    assert {event.metadata.auth_scheme for event in recorded} == {"command-line"}
    assert {event.user_id for event in recorded} == {operator()}


@pytest.mark.django_db
def test_a_command_that_changes_nothing_is_no_event(
    recorded: list[AuditEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
        _run("ayse", role="auditor", password=True)
    assert len(recorded) == 1


@pytest.mark.django_db
def test_a_change_that_cannot_be_recorded_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Unavailable(Code.AUDIT_UNAVAILABLE, "The audit trail cannot be written.")

    monkeypatch.setattr("gateway.audit.commands.event_delivery", fail)
    with pytest.raises(CommandError, match="nothing was changed"):
        _run("ayse")
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "x" * 151, "a/b"])
def test_text_that_is_no_user_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError):
        _run(name)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_role_and_the_indices_are_set_and_changed() -> None:
    with override_settings(GATEWAY=GatewaySettings(search_indices=("devices", "assets"))):
        _run("ayşe", role="auditor", indices="devices, assets")
    user = User.objects.get(username="ayşe")
    assert (user.role, user.granted_indices) == (Role.AUDITOR, ["devices", "assets"])
    _run("ayşe", indices="")
    user.refresh_from_db()
    assert (user.role, user.granted_indices) == (Role.AUDITOR, [])


@pytest.mark.django_db
def test_the_types_that_a_user_may_write_are_set_and_changed() -> None:
    _run("adapter", write="device, plan-service")
    assert User.objects.get(username="adapter").writable_types == ["device", "plan-service"]
    _run("adapter", write="")
    assert User.objects.get(username="adapter").writable_types == []


@pytest.mark.django_db
@pytest.mark.parametrize("types", ["Device", "a/b", "x" * 129, "*"])
def test_a_text_that_is_no_name_of_a_type_is_refused(types: str) -> None:
    with pytest.raises(CommandError, match="Writable types are a list of names"):
        _run("adapter", write=types)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_an_index_that_cannot_be_searched_is_refused_and_those_that_can_be_granted_are_named() -> None:
    refusal = r"not among GATEWAY_SEARCH_INDICES \(devices\): devcies$"
    with pytest.raises(CommandError, match=refusal):
        _run("ayşe", indices="devices,devcies")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_grant_of_an_index_that_is_configured_no_longer_stays() -> None:
    User.objects.create_user("ayşe", granted_indices=["gone"])
    _run("ayşe", role="auditor")
    assert User.objects.get(username="ayşe").granted_indices == ["gone"]


@pytest.mark.parametrize("command", [["user", "ayşe"], ["erase", "ayşe"]])
def test_without_a_database_nothing_is_made_and_what_to_do_is_said(command: list[str], tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "CommandError: there is no database sluice.db: set GATEWAY_DATABASE_URL to the gateway's"
    )
    assert "sqlite:///.local/gateway.db" in done.stderr
    assert not list(tmp_path.iterdir())


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
