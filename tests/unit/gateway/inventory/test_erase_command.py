"""``python -m gateway erase``."""

import io
import uuid
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
from gateway.inventory.models import Change, Document, IdempotencyKey, Operation, Reference
from gateway.search.models import OpenCursor
from tests.support.inventory import declare, delete, patch, put

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
        "saved searches and collections that nobody else sees  0",
        "shares  0",
        "watches  0",
        "sessions  1",
        "lines of the administration's log  1",
        "changes of documents  0",
        "--delete deletes the user and all of this, and takes the name from changes",
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


def test_a_user_who_has_written_documents_is_taken_out_of_their_history(
    operator: User, recorded: list[AuditEvent]
) -> None:
    del operator
    put("product/A-1", {"sku": "A-1", "name": "Hammer"})
    patch("product/A-1", {"name": "Mallet"})
    before = list(Change.objects.values("change_id", "version", "op", "changed", "body", "request_id"))
    User.objects.create_user("adapter")

    assert "changes of documents  2" in _run("adapter")
    assert Change.objects.filter(actor="adapter").count() == 2
    _run("adapter", "--delete")
    assert list(Change.objects.values("change_id", "version", "op", "changed", "body", "request_id")) == before
    for change in Change.objects.all():
        assert (change.actor, change.event_metadata["client_ip"], change.event_metadata["user_agent"]) == (None,) * 3
        assert change.event_metadata["request_id"] == "r1"
    assert len(recorded) == 1


def test_a_user_who_is_gone_already_is_taken_out_of_histories(operator: User, recorded: list[AuditEvent]) -> None:
    del operator, recorded
    put("product/A-1", {"sku": "A-1", "name": "Hammer"})
    _run("adapter", "--delete")
    assert not Change.objects.filter(actor="adapter").exists()
    with pytest.raises(CommandError, match="no user of this name"):
        _run("adapter")


def _erase_document(path: str, *arguments: str) -> list[str]:
    printed = io.StringIO()
    call_command("erase", "--document", path, *arguments, stdout=printed)
    return printed.getvalue().splitlines()


def test_a_document_is_erased_with_all_its_versions(operator: User, recorded: list[AuditEvent]) -> None:
    for sku in ("A-1", "A-2"):
        put(f"product/{sku}", {"sku": sku, "name": "Hammer"})
        patch(f"product/{sku}", {"name": "Mallet"})
    for key, change in enumerate(Change.objects.all()):
        expires = datetime.now(UTC) + timedelta(days=1)
        IdempotencyKey.objects.create(
            user=operator, key=str(key), digest="", status=200, headers={}, body=change.body or "", expires_at=expires
        )
    versions = "versions  2", "--delete deletes the document and all of this"
    assert tuple(_erase_document("product/A-1")) == versions
    assert not recorded

    assert _erase_document("product/A-1", "--delete") == ["versions  2", "deleted"]
    history = Change.objects.filter(document_id="A-1").order_by("version")
    assert [(each.version, each.op, each.body, each.changed) for each in history] == [
        (1, Operation.CREATE, None, []),
        (2, Operation.PATCH, None, []),
        (3, Operation.ERASE, None, []),
    ]
    row = Document.objects.get(document_id="A-1")
    assert (row.version, row.body) == (3, None)
    assert IdempotencyKey.objects.count() == 2
    assert Change.objects.filter(document_id="A-2", body__isnull=False).count() == 2
    assert Document.objects.get(document_id="A-2").body is not None
    (event,) = recorded
    assert event.data.query == "erase a document of the type product: 2 versions"


def test_a_deleted_document_is_erased_and_its_versions_go_on(operator: User, recorded: list[AuditEvent]) -> None:
    del operator, recorded
    put("product/A-1", {"sku": "A-1", "name": "Hammer"})
    delete("product/A-1")
    _erase_document("product/A-1", "--delete")
    assert [each.body for each in Change.objects.all()] == [None] * 3
    assert put("product/A-1", {"sku": "A-1", "name": "Saw"}).version == 4


def test_a_document_that_others_need_is_not_erased(operator: User) -> None:
    del operator
    put("service/knee", {"name": "Knee"})
    put("plan/gold", {"name": "Gold"})
    put("plan-service/gold-knee", {"service": "knee", "copay": 1}, parent="gold")
    assert Reference.objects.count() == 1
    with pytest.raises(CommandError, match="1 documents stand below it"):
        _erase_document("plan/gold", "--delete")
    with pytest.raises(CommandError, match="1 documents refer to it"):
        _erase_document("service/knee", "--delete")
    assert not Change.objects.filter(op=Operation.ERASE).exists()
    _erase_document("plan-service/gold-knee", "--delete")
    _erase_document("service/knee", "--delete")
    assert not Reference.objects.exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [("product/missing", "no document"), ("nothing/A-1", "no type"), ("product", "no document"), ("", "no type")],
)
@pytest.mark.django_db
def test_a_document_that_never_was_is_told(path: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        _erase_document(path, "--delete")


def test_a_child_of_a_type_that_embeds_is_erased_from_its_parent_s_tree(
    operator: User, recorded: list[AuditEvent]
) -> None:
    del operator, recorded
    declare("box")
    declare("part", parent="box")
    put("box/b", {"name": "box"})
    put("part/p", {"name": "part"}, parent="b")
    before = Document.objects.get(type="box").tree_version
    _erase_document("part/p", "--delete")
    assert Document.objects.get(type="box").tree_version == before + 1
    change = Change.objects.get(op=Operation.ERASE)
    assert (change.root_type, change.root_id) == ("box", "b")
    assert uuid.UUID(str(change.change_id)).version == 7
