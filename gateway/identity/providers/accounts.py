"""The user of a provider's account: found by issuer and subject, and by nothing else.

Somebody unknown is linked or made a user as the provider's setting says. Every refusal has the same words, which tell
nobody whether there is a user of an address.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q

from gateway.http.problems import Code, Problem, malformed
from gateway.identity.account_models import Identity
from gateway.identity.administration import lock_last_administrator
from gateway.identity.models import RefreshFamily, Role, User
from gateway.identity.providers.settings import Provider

MAX_IDENTITIES = 20
"""Accounts of providers that a user may have."""
_MAX_NAME_CHARACTERS = 150


@dataclass(frozen=True, slots=True)
class Admitted:
    """A user who comes in, and in words what that has changed."""

    user: User
    changes: list[str] = field(default_factory=list)


def admit(provider: Provider, claims: Mapping[str, Any], now: datetime, link: tuple[int, str] | None) -> Admitted:
    """Find, link or make the user of a provider's account; within a transaction.

    Args:
        provider: who has proven the account.
        claims: about it.
        now: the time.
        link: the user, and the log-in, that asked to link it, or None.

    Raises:
        Problem: 403, the account has no user here, or an inactive one, or is another user's.
        IntegrityError: another log-in of the account has just changed the same; it can be done again.
    """
    identity = Identity.objects.select_related("user").filter(issuer=provider.issuer, subject=claims["sub"]).first()
    wanted = None if link is None else _user_of_link(*link)
    changes: list[str] = []
    if identity is None:
        user, changes = (wanted, []) if wanted is not None else _linked_or_made(provider, claims)
        if user.identities.count() >= MAX_IDENTITIES:
            raise malformed(f"You have {MAX_IDENTITIES} accounts of providers, as many as there may be; delete one.")
        identity = Identity(user=user, issuer=provider.issuer, subject=claims["sub"], created_at=now, last_used_at=now)
        changes.append(f"link an account of {provider.name}")
    elif wanted is not None and identity.user_id != wanted.pk:
        raise _refused()
    user = identity.user
    if not user.is_active:
        raise _refused()
    changes += _set_role(user, provider, claims)
    if identity.pk is None:
        identity.save(force_insert=True)
    elif not Identity.objects.filter(pk=identity.pk).update(last_used_at=now):
        # It has been unlinked since it was found, and that is not undone.
        raise _refused()
    return Admitted(user, changes)


def _user_of_link(key: int, session: str) -> User:
    family = (
        RefreshFamily.objects.select_related("user")
        .filter(pk=session, user=key, revoked_at=None, user__is_active=True)
        .first()
    )
    if family is None:
        raise _refused()
    user: User = family.user
    return user


def _linked_or_made(provider: Provider, claims: Mapping[str, Any]) -> tuple[User, list[str]]:
    email = _verified_email(claims)
    user = None
    if provider.link and email is not None:
        # Compared as it is: another letter case may be another mailbox.
        user = User.objects.filter(email=email, email_verified=True).exclude(role=Role.ADMIN).first()
    if user is not None:
        return user, []
    user = _new_user(provider, claims, None if email is None else email.lower())
    return user, [f'add user "{user.username}"']


def _new_user(provider: Provider, claims: Mapping[str, Any], email: str | None) -> User:
    domain = "" if email is None else email.rpartition("@")[2]
    if provider.create == "never" or (provider.create == "domains" and domain not in provider.domains):
        raise _refused()
    user = User(
        username=_username(provider, claims["sub"], email),
        full_name=_full_name(claims.get("name")),
        # It was verified elsewhere, so it is no ground for another provider to link by.
        email=email,
        granted_indices=list(provider.indices),
    )
    if User.objects.filter(Q(username=user.username) | Q(email=email, email__isnull=False)).exists():
        raise _refused()
    user.set_unusable_password()
    user.save(force_insert=True)
    return user


def _set_role(user: User, provider: Provider, claims: Mapping[str, Any]) -> list[str]:
    """Set the role that the claim brings; one above ``max_role`` was given here, and stays."""
    highest = Role(provider.max_role)
    if provider.role_claim is None or not highest.includes(Role(user.role)):
        return []
    values = claims.get(provider.role_claim)
    found = [Role.SEARCHER]
    found += [
        Role(provider.roles[value])
        for value in (values if isinstance(values, list) else [values])
        if isinstance(value, str) and value in provider.roles
    ]
    role = max((each if highest.includes(each) else highest for each in found), key=list(Role).index)
    if role == user.role:
        return []
    if user.role == Role.ADMIN and lock_last_administrator(user):
        return []
    said = f'change user "{user.username}": role "{user.role}" to "{role}"'
    user.role = role
    user.save(update_fields=["role"])
    return [said]


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    """The address that the provider has verified: the JSON value true, and no text that reads like it."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or not email.isascii():
        return None
    try:
        validate_email(email)
    except ValidationError:
        return None
    return email if len(email) <= _MAX_NAME_CHARACTERS else None


def _username(provider: Provider, subject: str, email: str | None) -> str:
    """The address, as after a sign-up; without one a name that tells the provider."""
    if email is not None:
        try:
            UnicodeUsernameValidator()(email)
        except ValidationError:
            pass
        else:
            return email
    return f"{provider.name}-{sha256(f'{provider.issuer} {subject}'.encode()).hexdigest()[:16]}"


def _full_name(name: Any) -> str:
    return name[:_MAX_NAME_CHARACTERS] if isinstance(name, str) and name.isprintable() else ""


def _refused() -> Problem:
    return Problem(
        HTTPStatus.FORBIDDEN,
        Code.FORBIDDEN,
        "This account of the provider lets nobody in here; log in otherwise and link it, or ask an administrator.",
    )
