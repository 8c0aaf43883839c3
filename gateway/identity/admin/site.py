"""Django's administration at ``/admin/``, for users with the role admin: users, API keys, log-ins.

Sessions, cookies and forms exist below that path alone; the API has none of them.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm, UsernameField
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from rest_framework.exceptions import AuthenticationFailed

from gateway.audit.admin import AuditedAdmin, View, note_change, record_changes
from gateway.audit.draft import EventDraft, Subject
from gateway.audit.recording import record_event, refuse_unknown
from gateway.http.problems import Problem, as_problem, problem_response
from gateway.identity.administration import an_administrator_stays, is_last_administrator, lock_last_administrator
from gateway.identity.authorization import check_searchable
from gateway.identity.login import log_in_with_password
from gateway.identity.models import ApiKey, DeniedToken, RefreshFamily, Role, User
from gateway.identity.refresh_tokens import end_family
from gateway.identity.second_factor import check_code, needs_factor

PATH = "/admin/"
_SCHEME = "password"


class _BelowPath(MiddlewareMixin):  # pylint: disable=too-few-public-methods  # as the framework has it
    """A middleware that leaves every other path alone, and costs it nothing."""

    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if request.path_info.startswith(PATH) else self.get_response(request)


class Session(_BelowPath, SessionMiddleware):
    """Sessions."""


class Csrf(_BelowPath, CsrfViewMiddleware):
    """Protection of forms."""


class Authentication(_BelowPath, AuthenticationMiddleware):  # pylint: disable=too-few-public-methods  # as above
    """Log-ins, which can be looked at and ended."""


class Messages(_BelowPath, MessageMiddleware):
    """Changes made here."""


class DatabaseFaults(_BelowPath):  # pylint: disable=too-few-public-methods  # as above
    """A database that fails, or cannot hold what was sent."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer with a problem, as the API does."""
        del request
        return problem_response(as_problem(exception)) if isinstance(exception, DatabaseError) else None


class LogInForm(AdminAuthenticationForm):
    """Log-in to the administration: counted, limited and recorded as ``POST /auth/token`` is."""

    code = forms.CharField(
        required=False,
        max_length=32,
        label="Code of the second factor",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        """Find the user.

        Raises:
            ValidationError: they are not of an active administrator, or there were too many failures.
        """
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username is None or not password:
            return self.cleaned_data
        assert self.request is not None
        draft = EventDraft.begin(self.request, None, Subject.AUTHENTICATION)
        try:
            self.user_cache = log_in_with_password(username, password, self.request.META["REMOTE_ADDR"])
            draft.identify(self.user_cache.get_username(), _SCHEME)
            if not self.user_cache.is_staff:
                raise AuthenticationFailed("The user is no administrator.")
            if needs_factor(self.user_cache):
                check_code(self.user_cache, self.cleaned_data.get("code", ""), datetime.now(UTC))
            record_event(draft)
        except (AuthenticationFailed, Problem) as error:
            problem = as_problem(error)
            refuse_unknown(draft, problem)
            raise ValidationError(problem.detail) from None
        return self.cleaned_data


class OperatorSite(admin.AdminSite):
    """The administration."""

    site_header = site_title = "Sluice"
    site_url = "/docs/"
    login_form = LogInForm
    login_template = "identity/admin_login.html"

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        """Record what a view changes."""
        return super().admin_view(record_changes(view), cacheable)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Let operators change their own passwords."""
        response = super().password_change(request, extra_context)
        if response.status_code == HTTPStatus.FOUND:
            assert isinstance(request.user, User)
            note_change(request, "change", request.user, "password")
        return response


site = OperatorSite()


class _Grants:
    """The check of what is granted, where it is changed."""

    changed_data: list[str]
    cleaned_data: dict[str, Any]

    def clean_writable_types(self) -> Any:
        """Take an empty field for an empty list."""
        return self.cleaned_data["writable_types"] or []

    def clean_granted_indices(self) -> Any:
        """Refuse unknown indices."""
        grants = self.cleaned_data["granted_indices"]
        if "granted_indices" in self.changed_data and isinstance(grants, list):
            check_searchable(grants)
        return grants


# pylint: disable-next=too-many-ancestors  # as the framework has it
class _CreationForm(_Grants, AdminUserCreationForm):  # type: ignore[type-arg]  # generic in the stubs alone
    class Meta:
        model = User
        fields = ("username",)
        field_classes: ClassVar = {"username": UsernameField}


# pylint: disable-next=too-many-ancestors  # as the framework has it
class _ChangeForm(_Grants, UserChangeForm):  # type: ignore[type-arg]  # generic in the stubs alone
    class Meta:
        model = User
        fields = ("username", "role", "granted_indices", "writable_types", "is_active")
        field_classes: ClassVar = {"username": UsernameField}

    def clean(self) -> dict[str, Any] | None:
        """Let one administrator stay.

        Raises:
            ValidationError: nobody could administer users any more.
        """
        data = super().clean()
        stays = self.cleaned_data.get("role") == Role.ADMIN and self.cleaned_data.get("is_active")
        if not stays and lock_last_administrator(self.instance):
            raise ValidationError("This is the last administrator; make another one first.")
        return data


@admin.register(User, site=site)
class _UserAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    form = _ChangeForm
    add_form = _CreationForm
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "granted_indices", "writable_types", "is_active")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "username",
                    "usable_password",
                    "password1",
                    "password2",
                    "role",
                    "granted_indices",
                    "writable_types",
                )
            },
        ),
    )
    list_display = ("username", "role", "granted_indices", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username",)
    ordering = ("username",)
    filter_horizontal = ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete the last administrator."""
        is_last = isinstance(obj, User) and is_last_administrator(obj)
        return not is_last and super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete one, unless another request has just made it the last."""
        with an_administrator_stays():
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete several, unless they are all that are left."""
        with an_administrator_stays():
            super().delete_queryset(request, queryset)


class _Credential(AuditedAdmin):
    """Base of credentials, which can be looked at and revoked here but neither made nor changed."""

    actions = ("revoke",)
    list_select_related = ("user",)
    search_fields = ("user__username",)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Not here."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Forbid it, except for the list's action."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Not here: what was given out stays to be seen."""
        del request, obj
        return False


@admin.register(ApiKey, site=site)
class _ApiKeyAdmin(_Credential):
    list_display = ("id", "user", "name", "created_at", "expires_at", "last_used_at", "revoked_at")
    exclude = ("digest",)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        """Refuse the keys, and the access tokens that they were exchanged for."""
        now = datetime.now(UTC)
        for key in chosen.filter(revoked_at=None):
            ApiKey.objects.filter(pk=key.pk).update(revoked_at=now)
            DeniedToken.objects.deny([key.pk], now)
            self.log_change(request, key, f"revoked, of {key.user}")
        self.message_user(request, "Revoked.")


@admin.register(RefreshFamily, site=site)
class _RefreshFamilyAdmin(_Credential):
    list_display = ("id", "user", "started_at", "last_used_at", "expires_at", "revoked_at")
    exclude = ("password_mark",)
    list_filter: ClassVar = ()

    @admin.action(description="End", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[RefreshFamily]) -> None:
        """End the log-ins, with their access tokens."""
        now = datetime.now(UTC)
        for family in chosen.filter(revoked_at=None):
            end_family(family, now)
            self.log_change(request, family, f"ended, of {family.user}")
        self.message_user(request, "Ended.")
