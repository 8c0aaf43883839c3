"""``/auth/users``: users as administrators make, change and deactivate them.

Nobody changes their own role, indices, credentials or access here, so a stolen token of an administrator raises
nobody who holds it, and there is always one administrator left: the one who asks.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.commands import written
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.fields import checked
from gateway.http.json_media import MERGE_PATCH
from gateway.http.preconditions import require_match
from gateway.http.problems import Code, Problem, malformed
from gateway.http.query_string import read_parameters
from gateway.identity.account_models import Totp
from gateway.identity.account_views import check_password
from gateway.identity.administration import (
    IF_MATCH,
    AdministratorsView,
    MergePatchParser,
    answer_with_etag,
    change_of_one,
    etag,
    lock_administrators,
    on_all,
    on_one,
)
from gateway.identity.authentication import caller
from gateway.identity.authorization import check_searchable
from gateway.identity.login import hashing
from gateway.identity.models import Role, User
from gateway.identity.schema import OneUser, UserAnswer, Users
from gateway.identity.second_factor import has_factor
from gateway.identity.serializers import NewUserSerializer, UserPatchSerializer

_NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="The user's name.")
_AFTER = OpenApiParameter("after", str, description="The name after which the page begins.")
PAGE = 100
"""Users on a page."""
_OWN_FIELDS = frozenset(("full_name",))
_FIELDS = {"indices": "granted_indices", "active": "is_active"}
"""Fields of the model that have another name in the answer."""


class UsersView(AdministratorsView):
    """Users."""

    @on_all("users", Users, parameters=[_AFTER], also={400: OpenApiResponse(description="Unknown parameters.")})
    def get(self, request: Request) -> Response:
        """List the users.

        A hundred on a page, by name, deactivated ones too.
        """
        draft = self.begin(request)
        parameters = read_parameters(request)
        after = parameters.pop("after", "")
        if parameters or len(after) > 150:
            raise malformed("The one parameter is after, a user's name.")
        draft.query = f"list users after {written(after)}" if after else "list users"
        found = list(User.objects.filter(username__gt=after).order_by("username")[: PAGE + 1])
        page = found[:PAGE]
        with_factor = set(Totp.objects.filter(user__in=page).exclude(confirmed_at=None).values_list("user", flat=True))
        record_event(draft)
        following = page[-1].username if len(found) > PAGE else None
        return Response(
            Users(users=[described(user, has_totp=user.pk in with_factor) for user in page], next=following),
            headers=NOT_KEPT,
        )

    @on_all("make_user", OneUser, NewUserSerializer, status=HTTPStatus.CREATED)
    def post(self, request: Request) -> Response:
        """Make a user.

        Without a password the user logs in by a provider, or asks for a password by mail.
        """
        draft = self.begin(request)
        wanted = checked(NewUserSerializer, request.data)
        user = User(username=wanted.pop("username"), granted_indices=[])
        said = _set(user, wanted, is_new=True)
        try:
            with transaction.atomic():
                lock_administrators(caller(request))
                user.save(force_insert=True)
                draft.status = HTTPStatus.CREATED
                draft.note_changes([f"add user {written(user.username)}: {', '.join(said)}".removesuffix(": ")])
                record_event(draft)
        except IntegrityError:
            draft.is_change = False
            raise _taken() from None
        return _answer(user, HTTPStatus.CREATED)


class UserView(AdministratorsView):
    """One user."""

    parser_classes = (MergePatchParser,)

    @on_one("user", OneUser, parameters=[_NAME])
    def get(self, request: Request, name: str) -> Response:
        """Show a user.

        The answer has an ETag, which a change takes.
        """
        draft = self.begin(request)
        draft.query = f"show user {written(name)}"
        user = _find(User.objects.filter(username=name).first())
        record_event(draft)
        return _answer(user)

    @change_of_one(
        "change_user",
        OneUser,
        {MERGE_PATCH: UserPatchSerializer},
        parameters=[_NAME, IF_MATCH],
    )
    def patch(self, request: Request, name: str) -> Response:
        """Change a user.

        A merge patch (RFC 7396): members that are not sent stay. A new password, or `"active": false`, ends the user's
        log-ins. Of yourself you can change your full name.
        """
        draft = self.begin(request)
        wanted = checked(UserPatchSerializer, request.data)
        try:
            with transaction.atomic():
                user = self._locked(request, name, set(wanted) - _OWN_FIELDS)
                said = _set(user, wanted, is_new=False)
                if said:
                    user.save()
                    if not user.is_active:
                        user.end_log_ins(datetime.now(UTC))
                    draft.note_changes([f"change user {written(user.username)}: {', '.join(said)}"])
                record_event(draft)
        except IntegrityError:
            draft.is_change = False
            raise _taken() from None
        return _answer(user)

    @change_of_one(
        "deactivate_user",
        None,
        also={204: OpenApiResponse(description="The user is inactive now.")},
        parameters=[_NAME, IF_MATCH],
    )
    def delete(self, request: Request, name: str) -> Response:
        """Deactivate a user.

        The user's log-ins end, and API keys are refused. The name stays taken; `python -m gateway erase` deletes.
        """
        draft = self.begin(request)
        draft.status = HTTPStatus.NO_CONTENT
        with transaction.atomic():
            user = self._locked(request, name, {"active"})
            if user.is_active:
                user.is_active = False
                user.save(update_fields=["is_active"])
                user.end_log_ins(datetime.now(UTC))
                draft.note_changes([f"change user {written(user.username)}: active true to false"])
            record_event(draft)
        return Response(status=draft.status)

    def _locked(self, request: Request, name: str, changed: set[str]) -> User:
        """The user to be changed, whom nobody else changes meanwhile.

        Raises:
            Problem: 403, 404, 412, 428.
        """
        lock_administrators(caller(request))
        user = _find(User.objects.select_for_update(no_key=True).filter(username=name).first())
        if changed and user.pk == caller(request).pk:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                Code.FORBIDDEN,
                "Of yourself you can change your full name here; another administrator changes the rest, and POST "
                "/auth/password your password.",
            )
        require_match(request, etag(described(user, has_totp=has_factor(user))))
        return user


def described(user: User, *, has_totp: bool) -> UserAnswer:
    """A user as administrators see them."""
    return {
        "username": user.username,
        "full_name": user.full_name,
        "email": user.email,
        "email_verified": user.email_verified,
        "role": Role(user.role),
        "indices": user.granted_indices,
        "writable_types": user.writable_types,
        "active": user.is_active,
        "totp": has_totp,
        "created_at": user.date_joined,
    }


def _answer(user: User, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return answer_with_etag(described(user, has_totp=has_factor(user)), status)


def _find(user: User | None) -> User:
    if user is None:
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "There is no user of this name.")
    return user


def _set(user: User, wanted: dict[str, Any], *, is_new: bool) -> list[str]:
    """Set members of a user; says each change in words, without an address or a password.

    Raises:
        Problem: 400, a member cannot be so.
    """
    said = []
    has_lost_factor = wanted.pop("totp", True) is False
    password = wanted.pop("password", None)
    try:
        if "indices" in wanted and wanted["indices"] != user.granted_indices:
            check_searchable(wanted["indices"])
        for name, new in wanted.items():
            field = _FIELDS.get(name, name)
            old = getattr(user, field)
            if new != old:
                setattr(user, field, new)
                said.append(_said(name, old, new, is_new=is_new))
        if "email" in wanted and "email" in said:
            user.email_verified = False
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise malformed(" ".join(error.messages)) from None
    if password is not None:
        check_password(password, user)
        with hashing():
            user.set_password(password)
        said.append("password")
    elif is_new:
        user.set_unusable_password()
    if has_lost_factor and Totp.objects.filter(user=user).delete()[0]:
        said.append("second factor")
    return said


def _said(name: str, old: Any, new: Any, *, is_new: bool) -> str:
    if name in ("email", "full_name"):
        return name
    return f"{name} {written(new)}" if is_new else f"{name} {written(old)} to {written(new)}"


def _taken() -> Problem:
    return malformed("There is a user of this name or mail address.")
