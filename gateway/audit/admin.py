"""Audit of the changes that operators make in ``/admin/``: one event a request, in one transaction with the change.

The event is ``admin.changed`` under the operator's name, and its query says what was changed.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.contrib.messages import get_messages
from django.db import transaction
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.audit.commands import written
from gateway.audit.draft import EventDraft, Subject
from gateway.audit.recording import record_event
from gateway.http.problems import Unavailable, problem_response

_SESSION = "admin-session"
"""Name in the audit trail of a caller who is logged in to ``/admin/``."""
_PASSWORD_FIELDS = frozenset(("password", "password1", "password2", "usable_password"))

View = Callable[..., HttpResponseBase]


def record_changes(view: View) -> View:
    """Let what a view of the administration changes be durable together with its event, or not at all."""

    @wraps(view)
    def recorded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        changes: list[str] = []
        request.changes = changes  # type: ignore[attr-defined]  # Django's way to hand something on
        draft = EventDraft.begin(request, None, Subject.AUTHENTICATION)
        draft.identify(request.user.get_username(), _SESSION)
        try:
            with transaction.atomic():
                response = view(request, *args, **kwargs)
                if changes:
                    draft.note_changes(changes)
                    draft.status = HTTPStatus(response.status_code)
                    record_event(draft)
        except Unavailable as problem:
            list(get_messages(request))  # they say that all went well, and are gone when they have been read
            return problem_response(problem, draft.query_id)
        return response

    return recorded


def note_change(request: HttpRequest, action: str, thing: Model, message: str = "") -> None:
    """Note what a request changes, for its event.

    Args:
        request: the operator's.
        action: such as "change".
        thing: what is changed.
        message: what about it.
    """
    text = f"{action} {thing._meta.verbose_name} {written(str(thing))}"
    request.changes.append(f"{text}: {message}" if message else text)  # type: ignore[attr-defined]  # as above


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """The administration of a model whose changes are recorded."""

    def construct_change_message(  # type: ignore[override]  # Django takes a text as well
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> str:
        """Say which fields were changed, from what to what; of a password only that it was."""
        del request, formsets
        if not isinstance(form, ModelForm):
            return "password"  # whose form it is; it says of itself that nothing was changed where it takes one away
        names = dict.fromkeys("password" if name in _PASSWORD_FIELDS else name for name in form.changed_data)
        return ", ".join(filter(None, (_changed(form, name, is_new=add) for name in names)))

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note that something was made."""
        note_change(request, "add", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note that something was changed, unless the form was sent as it was."""
        if message:
            note_change(request, "change", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Note what is deleted."""
        for thing in queryset:
            note_change(request, "delete", thing)
        return super().log_deletions(request, queryset)


def _changed(form: Any, name: str, *, is_new: bool) -> str | None:
    if name == "password":
        return name
    old, new = form.initial.get(name), form.cleaned_data[name]
    if is_new:
        return f"{name} {written(new)}"
    # A form takes JSON for changed that is the same value.
    return None if old == new else f"{name} {written(old)} to {written(new)}"
