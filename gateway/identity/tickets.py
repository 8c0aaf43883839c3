"""Tickets: secrets that are shown once, or a few times, within seconds or minutes."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from django.db.models import F
from rest_framework.exceptions import AuthenticationFailed

from gateway.http.problems import Code, Problem
from gateway.identity.account_models import Ticket
from gateway.identity.authentication import KNOWN_FIELDS
from gateway.identity.models import DeniedToken, User

TICKET_SCHEME = "ticket"
"""Name in the audit trail of a caller who showed a ticket."""
_TICKET = tuple(field.name for field in Ticket._meta.concrete_fields)
MAX_TICKETS = 20
"""Tickets of one user for one purpose that are good at one time."""


def issue_ticket(  # pylint: disable=too-many-arguments  # a ticket has as many
    purpose: str,
    user: User,
    now: datetime,
    life: timedelta,
    *,
    session: str = "",
    tries: int = 1,
    data: dict[str, Any] | None = None,
) -> str:
    """Make a ticket, and delete those that have expired.

    Args:
        purpose: what it is for.
        user: whom it stands for.
        now: when it begins.
        life: how long it is good.
        session: the ``sid`` of the token that it is made by; it ends with that.
        tries: how often it may be shown.
        data: what its use needs.

    Returns:
        its text, which can be had this once.

    Raises:
        Problem: 429, the user has as many as one may have.
    """
    Ticket.objects.delete_expired(now)
    if user.tickets.filter(purpose=purpose, expires_at__gt=now, tries__gt=0).count() >= MAX_TICKETS:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            Code.THROTTLED,
            f"You have {MAX_TICKETS} unused tickets, which is as many as there may be; try again later.",
            headers={"Retry-After": str(int(life.total_seconds()))},
        )
    text = secrets.token_urlsafe(32)
    Ticket.objects.create(
        digest=digest_of(text),
        purpose=purpose,
        user=user,
        session=session,
        tries=tries,
        data=data or {},
        expires_at=now + life,
    )
    return text


def use_ticket(purpose: str, text: str, now: datetime) -> Ticket | None:
    """Show a ticket, which takes one of its tries.

    Returns:
        the ticket, or None: there is no such ticket, it has expired or been used, or its user or log-in has ended.
    """
    rows = Ticket.objects.filter(digest=digest_of(text), purpose=purpose, tries__gt=0, expires_at__gt=now)
    # One statement, so that of two requests with one ticket only one can succeed.
    if not rows.update(tries=F("tries") - 1):
        return None
    # Whoever takes tickets may not read all of a user; what is asked for besides is fetched then.
    known = Ticket.objects.select_related("user").only(*_TICKET, *(f"user__{name}" for name in KNOWN_FIELDS))
    ticket: Ticket | None = known.filter(digest=digest_of(text), user__is_active=True).first()
    return None if ticket is None or _log_in_ended(ticket) else ticket


def user_of_ticket(ticket: Ticket) -> User:
    """The user of a ticket that has been used, as they are now.

    Only with what says what they may do: the database user of a query gateway can read no more.

    Raises:
        AuthenticationFailed: the user is not active any more, or the log-in has ended.
    """
    user = User.objects.only(*KNOWN_FIELDS).filter(pk=ticket.user_id, is_active=True).first()
    if user is None or _log_in_ended(ticket):
        raise AuthenticationFailed("The log-in of the ticket has ended, or its user is not active any more.")
    return user


def _log_in_ended(ticket: Ticket) -> bool:
    return bool(ticket.session) and DeniedToken.objects.filter(identifier=ticket.session).exists()


def digest_of(text: str) -> str:
    """The digest that a ticket is kept by."""
    return sha256(text.encode()).hexdigest()
