"""Authorization of known users by role and index grants."""

from collections.abc import Iterable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import ValidationError

from gateway.http.problems import Code, Problem
from gateway.identity.models import EVERY_INDEX, Role, User

QUERY_LOGS = "query-logs-*"
"""The audit trail's daily indices under one name; read only, and for auditors."""


def has_role(user: User, role: Role) -> bool:
    """Whether the user has the role, or one above it."""
    return Role(user.role).includes(role)


def searchable_indices(user: User) -> tuple[str, ...]:
    """The names of the indices that the user may search.

    Returns:
        the configured ones that are granted, in their order; for auditors ``QUERY_LOGS`` besides.
    """
    granted = _granted_indices(user)
    return (*granted, QUERY_LOGS) if has_role(user, Role.AUDITOR) else granted


def wanted_index(user: User, named: str | None) -> str:
    """The index that a request is about: the one that it names, else the first that the user may search.

    For somebody who may search nothing it is the first there is, so that they are told what they may not.
    """
    return named or next(iter(searchable_indices(user)), settings.GATEWAY.search_indices[0])


def device_index(user: User) -> str:
    """The index that the vendor's client means: the first configured one that is granted, never ``QUERY_LOGS``.

    For somebody who is granted none it is the first there is, which ``require_index`` refuses.
    """
    return next(iter(_granted_indices(user)), settings.GATEWAY.search_indices[0])


def require_index(user: User, index: str) -> None:
    """Refuse an index that the user may not search.

    Raises:
        Problem: 403, in the same words whether the index exists or not.
    """
    if index not in searchable_indices(user):
        raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, f'You may not search the index "{index}".')


def check_searchable(grants: Iterable[str]) -> None:
    """Refuse grants of unknown indices, such as mistyped ones.

    Not a validator of the model: a grant stays with its user where an index is configured no longer.

    Raises:
        ValidationError: names them, and those that can be granted.
    """
    unknown = [name for name in grants if name not in (EVERY_INDEX, *settings.GATEWAY.search_indices)]
    if unknown:
        raise ValidationError(
            f"not among GATEWAY_SEARCH_INDICES ({', '.join(settings.GATEWAY.search_indices)}): {', '.join(unknown)}"
        )


def _granted_indices(user: User) -> tuple[str, ...]:
    configured: tuple[str, ...] = settings.GATEWAY.search_indices
    if EVERY_INDEX in user.granted_indices:
        return configured
    return tuple(index for index in configured if index in user.granted_indices)
