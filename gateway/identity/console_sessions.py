"""Sessions of the console: a cookie that mints short access tokens and does nothing else.

Why: a page that keeps a refresh token in its storage gives it to every script that gets in. The cookie cannot be read
by scripts, goes to this origin alone, and is worth five minutes of access each time that the page, on this origin,
asks.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import constant_time_compare
from rest_framework.request import Request

from gateway.http.problems import Code, Problem
from gateway.identity.account_models import ConsoleSession
from gateway.identity.models import RefreshFamily

COOKIE = "__Host-sluice-session"
LIFE = timedelta(hours=12)
IDLE = timedelta(hours=2)
TOKEN_LIFE = timedelta(minutes=5)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def start_session(family: RefreshFamily, now: datetime) -> str:
    """Begin a session of a log-in, in the place of its earlier one, and delete those that have expired.

    Returns:
        the cookie's value, which can be had this once.
    """
    ConsoleSession.objects.delete_expired(now)
    family.console_sessions.all().delete()
    text = secrets.token_urlsafe(32)
    ConsoleSession.objects.create(
        digest=_digest(text), family=family, last_used_at=now, expires_at=min(now + LIFE, family.expires_at)
    )
    return text


def find_session(request: Request, now: datetime) -> ConsoleSession | None:
    """Find the session of a request's cookie, with its ``family`` and user.

    Returns:
        None if there is none, or it was idle too long, or has ended with its log-in, its user or the password.
    """
    session: ConsoleSession | None = (
        ConsoleSession.objects.select_related("family__user")
        .filter(
            digest=_digest(request.COOKIES.get(COOKIE, "")),
            expires_at__gt=now,
            last_used_at__gt=now - IDLE,
            family__revoked_at=None,
            family__user__is_active=True,
        )
        .first()
    )
    if session is None:
        return None
    mark = session.family.user.get_session_auth_hash()
    return session if constant_time_compare(session.family.password_mark, mark) else None


def require_own_origin(request: Request) -> None:
    """Refuse requests of other pages: a browser says where a request comes from.

    Raises:
        Problem: 403.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site != "same-origin" or not is_own_origin(request.headers.get("Origin", "")):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            Code.FORBIDDEN,
            "This is for pages of this gateway, at the address that GATEWAY_PUBLIC_URL names.",
        )


def is_own_origin(origin: str) -> bool:
    """Whether a header ``Origin`` names this gateway's, as ``GATEWAY_PUBLIC_URL`` has it."""
    return _origin(origin) == _origin(settings.GATEWAY.public_url)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """The origin of a URL (RFC 6454, section 4); None where it is not of http or https."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])
    except (ValueError, KeyError):
        return None


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
