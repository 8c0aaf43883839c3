"""Key sets of identity providers (RFC 7517), kept in the process.

A set is refreshed in the background, so that no request waits for it except the first of a process. An unknown ``kid``
asks again at most once in 30 seconds for an issuer: the slot is taken before the fetch, whether that fails or not, so
that a flood of invented ``kid`` makes one fetch. A fetch that fails keeps the old keys for 24 hours.
"""

import logging
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

from gateway.http.problems import Problem
from gateway.identity.metrics import KEY_FETCHES
from gateway.identity.providers.connections import ask_object, unavailable
from gateway.identity.providers.discovery import discover
from gateway.identity.providers.settings import Provider

logger = logging.getLogger(__name__)

MAX_KEYS = 100
MIN_RSA_BITS = 2048
REFRESH_SECONDS = 600.0
STALE_SECONDS = 24 * 3600.0
PAUSE_SECONDS = 30.0
_CURVES = {"ES256": "P-256", "ES384": "P-384"}


@dataclass(slots=True)
class _Kept:
    """The keys of an issuer: when they were fetched, and when a fetch was last begun, by the monotonic clock."""

    keys: tuple[Key, ...] = ()
    fetched_at: float | None = None
    began_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_slot(self, pause: float) -> bool:
        """Take the right to fetch, which one has for so long."""
        now = time.monotonic()
        with self.lock:
            if self.began_at is not None and now - self.began_at < pause:
                return False
            self.began_at = now
            return True


_kept: dict[str, _Kept] = {}
_background = ThreadPoolExecutor(1, thread_name_prefix="key-sets")


def candidates(provider: Provider, kid: str | None) -> tuple[Key, ...]:
    """The keys that a token with this ``kid`` may be signed with; without one, each key of the provider's algorithm.

    Raises:
        Unavailable: there are no keys, and they cannot be fetched.
    """
    kept = _kept.setdefault(provider.issuer, _Kept())
    age = None if kept.fetched_at is None else time.monotonic() - kept.fetched_at
    if age is None or age > STALE_SECONDS:
        if not kept.take_slot(PAUSE_SECONDS):
            raise unavailable(provider, "has no keys, and was asked for them a moment ago")
        _fetch(provider, kept)
    elif age > REFRESH_SECONDS and kept.take_slot(PAUSE_SECONDS):
        _background.submit(_refresh, provider, kept)
    found = _matching(kept, kid)
    if not found and kid is not None and kept.take_slot(PAUSE_SECONDS):
        _refresh(provider, kept)
        found = _matching(kept, kid)
    return found


def forget() -> None:
    """Forget what is kept, for a test of a provider that changes."""
    _kept.clear()


def read_key_set(found: dict[str, Any], provider: Provider) -> tuple[Key, ...]:
    """The keys of a set that check signatures of the provider's algorithm; others are ignored.

    Raises:
        ValueError: the set is none, empty or too large.
    """
    keys = found.get("keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        raise ValueError(f"has no set of 1 to {MAX_KEYS} keys")
    read = tuple(key for each in keys if (key := _read_key(each, provider)) is not None)
    if not read:
        raise ValueError(f"has no key for {provider.algorithm}")
    return read


def _read_key(member: Any, provider: Provider) -> Key | None:
    if not isinstance(member, dict) or member.get("use", "sig") != "sig":
        return None
    if member.get("alg", provider.algorithm) != provider.algorithm:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of a short key, which is ignored below
            key = JWKRegistry.import_key(member)
        if provider.algorithm in _CURVES:
            return key if isinstance(key, ECKey) and key.curve_name == _CURVES[provider.algorithm] else None
        return key if isinstance(key, RSAKey) and key.public_key.key_size >= MIN_RSA_BITS else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _matching(kept: _Kept, kid: str | None) -> tuple[Key, ...]:
    return kept.keys if kid is None else tuple(key for key in kept.keys if key.kid == kid)


def _refresh(provider: Provider, kept: _Kept) -> None:
    """Fetch, and keep the old keys where that fails."""
    try:
        _fetch(provider, kept)
    except Problem:
        logger.warning("the keys of the identity provider %s stay as they are", provider.name)


def _fetch(provider: Provider, kept: _Kept) -> None:
    try:
        keys = read_key_set(ask_object(provider, discover(provider).jwks_uri), provider)
    except ValueError as error:
        KEY_FETCHES.labels(provider.name, "invalid").inc()
        raise unavailable(provider, str(error)) from None
    except Problem:
        KEY_FETCHES.labels(provider.name, "failed").inc()
        raise
    kept.keys, kept.fetched_at = keys, time.monotonic()
    KEY_FETCHES.labels(provider.name, "ok").inc()
