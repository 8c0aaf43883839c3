"""Administration over HTTP: its permission, its preconditions, and the last administrator."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.views import NOT_KEPT
from gateway.http.json_media import MERGE_PATCH, JSONParser
from gateway.http.openapi import KNOWN, operation
from gateway.http.problems import Code, Problem
from gateway.identity.authentication import caller
from gateway.identity.authorization import has_role
from gateway.identity.models import Role, User
from gateway.identity.proof import ProvenView, proven_token

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of the version that you have read; needed."
)

on_all = partial(operation, group="Administration", problems=(*KNOWN, 403))
"""Describes an operation on all that administrators change, or on what is new."""
on_one = partial(operation, group="Administration", problems=(*KNOWN, 403, 404))
"""Describes reading one."""
change_of_one = partial(operation, group="Administration", problems=(*KNOWN, 400, 403, 404, 412, 428))
"""Describes changing one that has been read."""


class MergePatchParser(JSONParser):  # pylint: disable=too-few-public-methods  # as the framework has it
    """Reads a merge patch (RFC 7396)."""

    media_type = MERGE_PATCH


class AdministratorsView(ProvenView):
    """View for administrators who have proven who they are."""

    def check_permissions(self, request: Request) -> None:
        """Refuse everybody else, and what an administrator has let an OAuth client have."""
        super().check_permissions(request)
        if not has_role(caller(request), Role.ADMIN):
            raise for_administrators()
        if proven_token(request).client_id is not None:
            # It could make an administrator whose password outlives its token.
            raise Problem(
                HTTPStatus.FORBIDDEN,
                Code.FORBIDDEN,
                "A token of an OAuth client administers nothing; get one from POST /auth/token.",
            )


def for_administrators() -> Problem:
    """The problem of a user who is no administrator."""
    return Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "This is for administrators.")


def answer_with_etag(answer: Any, status: HTTPStatus = HTTPStatus.OK, **more: Any) -> Response:
    """The answer about one thing, and its ETag.

    Args:
        answer: the thing as it is.
        status: of the answer.
        more: members that are no part of its version.
    """
    return Response({**answer, **more}, status=status, headers={**NOT_KEPT, "ETag": etag(answer)})


def etag(answer: Any) -> str:
    """The ETag of an answer: another wherever a member is."""
    return f'"{sha256(orjson.dumps(answer)).hexdigest()[:32]}"'


def lock_administrators(user: User) -> None:
    """Let changes of administrators wait for each other, so that no two of them end each other's role.

    Args:
        user: who makes the change.

    Raises:
        Problem: 403, the user is no administrator any more.
    """
    if user.pk not in hold_administrators():
        raise for_administrators()


def hold_administrators() -> set[int]:
    """Lock the rows of all administrators; the keys of these."""
    administrators = User.objects.select_for_update(no_key=True).filter(role=Role.ADMIN, is_active=True)
    return {each.pk for each in administrators.order_by("pk")}


def lock_last_administrator(user: User) -> bool:
    """Whether nobody would administer users without this one, until the transaction ends; it waits for others' ends."""
    hold_administrators()
    return is_last_administrator(user)


@contextmanager
def an_administrator_stays() -> Iterator[None]:
    """Let a block delete users, within a transaction, unless nobody would administer them any more.

    Raises:
        PermissionDenied: nobody would.
    """
    hold_administrators()
    yield
    if not hold_administrators():
        raise PermissionDenied("These are the last administrators; make another one first.")


def is_last_administrator(user: User) -> bool:
    """Whether nobody would administer users without this one."""
    administrators = User.objects.filter(role=Role.ADMIN, is_active=True)
    return administrators.filter(pk=user.pk).exists() and not administrators.exclude(pk=user.pk).exists()
