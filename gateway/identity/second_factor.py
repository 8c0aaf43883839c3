"""Second factor of a log-in by password or provider: a time-based one-time password (RFC 6238), or a recovery code.

A log-in that lacks it is refused with a ticket, which goes with the code to the same endpoint. Wrong codes are counted
by ticket and by user: a caller who gets so far knows the password, so guesses from many addresses are added up here.

A ticket that goes to a page in an address may be seen by others. So it takes the PKCE verifier of who began, as a code
would; and none goes there that begins a factor, which would be a way in without the first one.
"""

import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus

import pyotp
from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare
from rest_framework.exceptions import AuthenticationFailed

from gateway.http.problems import Code, Problem, malformed, throttled
from gateway.http.rate_limits import hit, test
from gateway.identity.account_models import OAuthClient, Ticket, Totp
from gateway.identity.authorization_codes import is_verifier
from gateway.identity.metrics import LOG_INS
from gateway.identity.models import User
from gateway.identity.sealing import seal, unseal
from gateway.identity.tickets import issue_ticket, use_ticket

TICKET_LIFE = timedelta(minutes=5)
TICKET_TRIES = 5
RECOVERY_CODES = 10
_PURPOSE = "factor"
_SEAL = "gateway.identity.second_factor"
_STEP_SECONDS = 30
_TOTP = re.compile(r"[0-9]{6}")
_BUDGET = "factor-failures"


class FactorRequired(Problem):
    """The password was right, and the account has a second factor, or must have one."""

    def __init__(self, ticket: str | None, *, is_enrolled: bool) -> None:
        detail = (
            "Send the ticket and a code of your authenticator, or a recovery code, to POST /auth/login."
            if is_enrolled
            else "Your role needs a second factor: send the ticket to POST /auth/totp, then the ticket and a first "
            "code to POST /auth/totp/confirm, and log in again."
        )
        super().__init__(
            HTTPStatus.UNAUTHORIZED,
            Code.FACTOR_REQUIRED,
            detail,
            headers={"WWW-Authenticate": 'Bearer realm="sluice"'},
            members={"enrolled": is_enrolled} | ({} if ticket is None else {"ticket": ticket}),
        )


def has_factor(user: User) -> bool:
    """Whether the user has a second factor."""
    return Totp.objects.filter(user=user).exclude(confirmed_at=None).exists()


def needs_factor(user: User) -> bool:
    """Whether a log-in of the user takes a second factor: the user has one, or the role demands it."""
    return user.role in settings.GATEWAY.factor_roles or has_factor(user)


def require_factor(
    user: User,
    now: datetime,
    first: str = "password",
    *,
    challenge: str | None = None,
    client_id: str | None = None,
) -> None:
    """Refuse a log-in that has come by its first factor alone.

    Args:
        user: who logs in.
        now: the time.
        first: the first factor, as the audit trail names it.
        challenge: of the PKCE verifier that is shown with the ticket, where that goes to a page in an address.
        client_id: the OAuth client that began the log-in, if it named itself.

    Raises:
        FactorRequired: it needs a second one.
        Problem: 429, too many log-ins have come so far.
    """
    if not needs_factor(user):
        return
    is_enrolled = has_factor(user)
    if challenge is not None and not is_enrolled:
        raise FactorRequired(None, is_enrolled=False)
    data = {"mark": user.get_session_auth_hash(), "first": first, "challenge": challenge, "client_id": client_id}
    ticket = issue_ticket(_PURPOSE, user, now, TICKET_LIFE, tries=TICKET_TRIES, data=data)
    raise FactorRequired(ticket, is_enrolled=is_enrolled)


def use_factor_ticket(text: str, now: datetime, verifier: str | None = None) -> Ticket:
    """Show the ticket of a log-in that lacks its second factor, which takes one of its tries.

    Args:
        text: the ticket.
        now: the time.
        verifier: of PKCE, where the ticket has gone to a page in an address.

    Raises:
        AuthenticationFailed: it is unknown, used up or expired, or somebody else's, or the password was changed since.
    """
    ticket = use_ticket(_PURPOSE, text, now)
    if (
        ticket is None
        or not constant_time_compare(ticket.data["mark"], ticket.user.get_session_auth_hash())
        or not _is_shown_by_who_began(ticket.data.get("challenge"), verifier)
    ):
        raise AuthenticationFailed("The ticket is unknown, used up or expired, or another's; log in again.")
    return ticket


def client_of(ticket: Ticket) -> OAuthClient | None:
    """The OAuth client that began the log-in of a ticket, whose log-in it becomes; None where none named itself.

    Raises:
        AuthenticationFailed: the client is gone, or may not log people in any more.
    """
    client_id = ticket.data.get("client_id")
    if client_id is None:
        return None
    client: OAuthClient | None = OAuthClient.objects.filter(pk=client_id).first()
    if client is None or "authorization_code" not in client.grants:
        raise AuthenticationFailed("The client that began this log-in may not log people in any more.")
    return client


def check_code(user: User, code: str, now: datetime) -> None:
    """Take a code of the user's authenticator, or a recovery code; each is good once.

    Raises:
        AuthenticationFailed: it is not a good one.
        Problem: 429, there were too many failures.
    """
    rate, key = settings.GATEWAY.login_failures, str(user.pk)
    seconds = test(_BUDGET, rate, key)
    if seconds:
        LOG_INS.labels("factor", "throttled").inc()
        raise throttled("Failing codes", rate, seconds)
    if not _take(user, code, now):
        hit(_BUDGET, rate, key)
        LOG_INS.labels("factor", "refused").inc()
        raise AuthenticationFailed("The code is wrong or has been used; wait for the next one.")
    LOG_INS.labels("factor", "ok").inc()


def enrol(user: User) -> pyotp.TOTP:
    """Begin a second factor, in the place of one that is not confirmed; within a transaction.

    Raises:
        Problem: 400, the user has one.
    """
    # So that none is replaced, or confirmed, that another request confirms meanwhile.
    user.lock()
    if has_factor(user):
        raise malformed("You have a second factor; DELETE /auth/totp first.")
    secret = pyotp.random_base32()
    Totp.objects.update_or_create(user=user, defaults={"sealed_secret": seal(_SEAL, secret), "last_step": 0})
    return pyotp.TOTP(secret, name=user.username, issuer="Sluice")


def confirm(user: User, code: str, now: datetime) -> list[str]:
    """Make the factor that was begun one that counts, with a first code; within a transaction.

    Returns:
        the recovery codes, which can be had this once.

    Raises:
        AuthenticationFailed: the code is wrong, or nothing was begun.
        Problem: 400, the user has a second factor; 429, there were too many failures.
    """
    user.lock()
    if has_factor(user):
        raise malformed("Your second factor is confirmed already.")
    check_code(user, code, now)
    codes = new_recovery_codes(user)
    Totp.objects.filter(user=user).update(confirmed_at=now)
    return codes


def new_recovery_codes(user: User) -> list[str]:
    """Make recovery codes in the place of those that there are."""
    codes = ["-".join(re.findall(".{5}", secrets.token_hex(10))) for _ in range(RECOVERY_CODES)]
    Totp.objects.filter(user=user).update(recovery_digests=[_digest(code) for code in codes])
    return codes


def _is_shown_by_who_began(challenge: str | None, verifier: str | None) -> bool:
    return verifier is None if challenge is None else is_verifier(verifier or "", challenge)


def _take(user: User, code: str, now: datetime) -> bool:
    if _TOTP.fullmatch(code):
        return _take_password(user, code, now)
    with transaction.atomic():
        factor = Totp.objects.select_for_update().filter(user=user).exclude(confirmed_at=None).first()
        digest = _digest(code)
        if factor is None or digest not in factor.recovery_digests:
            return False
        factor.recovery_digests.remove(digest)
        factor.save(update_fields=["recovery_digests"])
        return True


def _take_password(user: User, code: str, now: datetime) -> bool:
    factor = Totp.objects.filter(user=user).first()
    secret = None if factor is None else unseal(_SEAL, factor.sealed_secret)
    if secret is None:
        return False
    totp, step = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_SECONDS
    # The step before and the next one too, as clocks may be apart.
    for each in (step - 1, step, step + 1):
        if totp.verify(code, for_time=each * _STEP_SECONDS):
            # One statement, so that of two requests with one code only one can succeed.
            return bool(Totp.objects.filter(user=user, last_step__lt=each).update(last_step=each))
    return False


def _digest(code: str) -> str:
    return sha256(code.replace("-", "").lower().encode()).hexdigest()
