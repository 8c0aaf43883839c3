"""Log-ins that have begun: one sealed cookie each, so that two tabs do not overwrite each other.

The cookie holds the PKCE verifier and the nonce, which are in no URL. A browser that began none of this has no cookie,
so that a code that was injected goes nowhere. A state is used once, which a row notes before the code is sent.
"""

import secrets
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils.crypto import constant_time_compare
from rest_framework.request import Request

from gateway.http.problems import malformed
from gateway.identity.account_models import UsedFlow
from gateway.identity.providers.settings import Provider
from gateway.identity.sealing import seal, unseal

LIFE = timedelta(minutes=10)
MAX_FLOWS = 5
"""Log-ins that a browser has begun and not ended; the oldest makes room."""
_PREFIX = "__Host-sluice-log-in-"
_SEAL = "gateway.identity.providers.flows"


@dataclass(frozen=True, slots=True)
class Return:
    """Address to which a log-in returns, with a code for the client that began it."""

    url: str
    challenge: str
    client_id: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Flow:
    """A log-in that has begun.

    Attributes:
        provider: the provider's name.
        state: what ties the answer to this browser.
        nonce: what ties the ID token to it.
        verifier: of PKCE.
        back: where it returns to, or None: the callback answers with the tokens.
        link: the user, and the log-in, that asked to link the provider's account, or None.
    """

    provider: str
    state: str
    nonce: str
    verifier: str
    back: Return | None
    link: tuple[int, str] | None

    @classmethod
    def begin(cls, provider: Provider, back: Return | None = None, link: tuple[int, str] | None = None) -> "Flow":
        """Make the secrets of a log-in, 256 bits each."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(provider.name, state, nonce, verifier, back, link)


def keep_flow(request: Request, response: HttpResponse, flow: Flow, now: datetime) -> None:
    """Put a flow into a cookie, and take back the oldest where there are too many."""
    kept = sorted((_expiry(text, now), name) for name, text in request.COOKIES.items() if name.startswith(_PREFIX))
    for _, name in kept[: max(0, len(kept) - MAX_FLOWS + 1)]:
        _set_cookie(response, name, "", timedelta())
    back = None if flow.back is None else astuple(flow.back)
    expires_at = int((now + LIFE).timestamp())
    sealed = seal(_SEAL, [expires_at, flow.provider, flow.state, flow.nonce, flow.verifier, back, flow.link])
    _set_cookie(response, _name(flow.state), sealed, LIFE)


def take_flow(request: Request, provider: Provider, answer: Mapping[str, str], now: datetime) -> Flow:
    """Find the flow of a provider's answer by this browser's cookie, and use it up.

    Raises:
        Problem: 400, this browser has not begun it with this provider, it is too old, or has been used.
    """
    state = answer.get("state", "")
    read = unseal(_SEAL, request.COOKIES.get(_name(state), ""))
    if (
        read is None
        or read[0] <= now.timestamp()
        or read[1] != provider.name
        or not constant_time_compare(read[2], state)
        or not _use_up(state, now)
    ):
        raise malformed("This browser has begun no such log-in, or it has ended or is too old; begin again.")
    _, name, _, nonce, verifier, back, link = read
    return Flow(
        name, state, nonce, verifier, None if back is None else Return(*back), None if link is None else (*link,)
    )


def forget_flow(response: HttpResponse, flow: Flow) -> None:
    """Take back the cookie of a flow that has ended."""
    _set_cookie(response, _name(flow.state), "", timedelta())


def _use_up(state: str, now: datetime) -> bool:
    """Note that a state is used; False if it has been."""
    UsedFlow.objects.delete_expired(now)
    try:
        with transaction.atomic():
            UsedFlow.objects.create(digest=sha256(state.encode()).hexdigest(), expires_at=now + 2 * LIFE)
    except IntegrityError:
        return False
    return True


def _expiry(text: str, now: datetime) -> float:
    """Time at which a cookie's flow ends; 0, so that it sorts first, for one that is over or not ours."""
    read = unseal(_SEAL, text)
    return 0.0 if read is None or read[0] <= now.timestamp() else float(read[0])


def _name(state: str) -> str:
    return _PREFIX + sha256(state.encode()).hexdigest()[:16]


def _set_cookie(response: HttpResponse, name: str, value: str, life: timedelta) -> None:
    # Strict would keep it from the provider's redirect, which comes from another site.
    response.set_cookie(name, value, max_age=life, path="/", secure=True, httponly=True, samesite="Lax")
