"""``python -m gateway erase``."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command

from contracts.query_event.event import AuditEvent
from gateway.identity.api_keys import issue_key
from gateway.identity.models import ApiKey, DeniedToken, RefreshFamily, Role, User
from gateway.identity.refresh_tokens import start_family
from gateway.search.models import OpenCursor

_TABLES = tuple(model.objects for model in (User, ApiKey, RefreshFamily, OpenCursor, Session, LogEntry))


def _run(name: str, *arguments: str) -> list[str]:
    printed = io.StringIO()
    call_command("erase", name, *arguments, stdout=printed)
    return printed.getvalue().splitlines()


def _person(name: str, operator: User) -> User:
    """A user with one of everything."""
    user = User.objects.create_user(name, role=Role.ADMIN)
    now = datetime.now(UTC)
    issue_key(user, "export")
    start_family(user, now)
    OpenCursor.objects.create(user=user, binding={}, started_at=now, expires_at=now + timedelta(minutes=1))
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session.save()
    LogEntry.objects.log_actions(operator.pk, User.objects.filter(pk=user.pk), CHANGE)
    return user


def _rows() -> list[int]:
    return [table.count() for table in _TABLES]


@pytest.fixture
def operator(db: None) -> User:
    """The administrator, of whom nothing is to go."""
    del db
    return User.objects.create_user("operator", role=Role.ADMIN)


def test_it_counts_and_leaves_everything_as_it_is(operator: User) -> None:
    _person("ayşe", operator)
    before = _rows()
    assert _run("ayşe") == [
        "API keys  1",
        "log-ins  1",
        "tickets  0",
        "identities  0",
        "second factors  0",
        "OAuth clients  0",
        "cursors  1",
        "idempotency keys  0",
        "inboxes  0",
        "notifications  0",
        "subscriptions  0",
        "sessions  1",
        "lines of the administration's log  1",
        "--delete deletes the user and all of this",
    ]
    assert _rows() == before


def test_it_deletes_one_users_rows_and_no_others(operator: User) -> None:
    _person("kept", operator)
    before = _rows()
    _person("ayşe", operator)
    assert _run("ayşe", "--delete")[-1] == "deleted"
    assert _rows() == before
    assert User.objects.filter(username="kept").exists()
    assert not LogEntry.objects.filter(object_repr__contains="ayşe").exists()


def test_access_tokens_of_the_deleted_are_denied_to_whoever_gets_the_name(operator: User) -> None:
    user = _person("ayşe", operator)
    sessions = {ApiKey.objects.get(user=user).pk, RefreshFamily.objects.get(user=user).pk.hex}
    _run("ayşe", "--delete")
    assert set(DeniedToken.objects.values_list("identifier", flat=True)) == sessions


@pytest.mark.django_db
def test_an_erasure_is_an_event_that_does_not_name_the_user(operator: User, recorded: list[AuditEvent]) -> None:
    _run(operator.username)
    assert not recorded
    _run(operator.username, "--delete")
    (event,) = recorded
    assert event.event_type == "admin.changed"
    assert event.data.query is not None and event.data.query.startswith("erase a user: ")
    assert operator.username not in event.data.query


@pytest.mark.django_db
def test_an_unknown_name_is_told() -> None:
    with pytest.raises(CommandError, match="no user of this name"):
        _run("nobody", "--delete")
