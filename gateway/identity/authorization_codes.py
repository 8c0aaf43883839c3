"""Authorization codes (RFC 6749, section 4.1), bound to the PKCE challenge of who began the log-in (RFC 7636).

A code is good once, for a minute. One that is shown again was in two hands, so the log-in that it brought ends.
"""

import base64
import re
from datetime import datetime, timedelta
from hashlib import sha256

from django.utils.crypto import constant_time_compare

from gateway.identity.account_models import Ticket
from gateway.identity.models import RefreshFamily, User
from gateway.identity.refresh_tokens import end_family
from gateway.identity.tickets import digest_of, issue_ticket, use_ticket

CODE_LIFE = timedelta(seconds=60)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""A challenge of the method S256, the only one."""
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_PURPOSE = "authorization-code"


def issue_code(user: User, now: datetime, challenge: str, return_to: str, client_id: str | None = None) -> str:
    """Make a code for a user who has logged in.

    Args:
        user: who has logged in.
        now: when the code begins.
        challenge: of the verifier that is shown with the code.
        return_to: where the code goes to, which is shown with the code again.
        client_id: the client that began the log-in, if it named itself.

    Returns:
        the code, which can be had this once.

    Raises:
        Problem: 429, the user has as many codes as one may have.
    """
    data = {"challenge": challenge, "return_to": return_to, "client_id": client_id}
    return issue_ticket(_PURPOSE, user, now, CODE_LIFE, data=data)


def use_code(code: str, verifier: str, return_to: str | None, client_id: str | None, now: datetime) -> Ticket | None:
    """Show a code, which uses it up whatever else is wrong.

    Returns:
        the ticket with its ``user``, or None: the code is unknown, used or expired, or was issued for another verifier,
        address or client.
    """
    ticket = use_ticket(_PURPOSE, code, now)
    if ticket is None:
        _end_what_it_brought(code, now)
        return None
    data = ticket.data
    is_good = (
        is_verifier(verifier, data["challenge"])
        and return_to in (None, data["return_to"])
        and client_id == data["client_id"]
    )
    return ticket if is_good else None


def is_verifier(verifier: str, challenge: str) -> bool:
    """Whether a text is the verifier of a challenge."""
    return _VERIFIER.fullmatch(verifier) is not None and constant_time_compare(_challenge(verifier), challenge)


def note_family(ticket: Ticket, family: RefreshFamily) -> bool:
    """Note which log-in a code brings, in the transaction that makes it.

    Returns:
        False: the code has been shown again in the meantime, so it brings none.
    """
    return Ticket.objects.filter(pk=ticket.pk).update(session=family.pk.hex) == 1


def _end_what_it_brought(code: str, now: datetime) -> None:
    used = Ticket.objects.filter(pk=digest_of(code), purpose=_PURPOSE, tries=0)
    # Its log-in may be in the making, in a transaction that holds the row, or has not come to it and will not find it.
    used.filter(session="").delete()
    ticket = used.first()
    family = None if ticket is None else RefreshFamily.objects.filter(pk=ticket.session).first()
    if family is not None:
        end_family(family, now)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
