"""Key sets of identity providers (RFC 7517), kept in the process.

Sets are fetched at the start of a process and every ten minutes after, in the background. An unknown ``kid`` asks again
at most once in 30 seconds for an issuer: the slot is taken before the fetch, whether that fails or not, so that a flood
of invented ``kid`` makes one fetch. A log-in waits for that fetch, a request with a bearer token does not. A fetch that
fails keeps the old keys for 24 hours.
"""

import logging
import math
import threading
import time
import warnings
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

from gateway.http.problems import Code, Problem, Unavailable
from gateway.identity.metrics import KEY_AGE, KEY_FETCHES
from gateway.identity.providers.connections import ask_object, unavailable
from gateway.identity.providers.discovery import discover
from gateway.identity.providers.per_provider import PerProvider
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
    fetched_at: float = -math.inf
    began_at: float = -math.inf
    lock: threading.Lock = field(default_factory=threading.Lock)

    def age(self) -> float:
        """Seconds since the keys were fetched; infinite where they have not been."""
        return time.monotonic() - self.fetched_at

    def matching(self, kid: str | None) -> tuple[Key, ...]:
        """The keys of a ``kid``; without one, all of them."""
        return self.keys if kid is None else tuple(key for key in self.keys if key.kid == kid)

    def has(self, kid: str | None) -> bool:
        """Whether there is a key of a ``kid`` that is not too old."""
        return self.age() <= STALE_SECONDS and bool(self.matching(kid))

    def take_slot(self, pause: float) -> bool:
        """Take the right to fetch, which one has for so long."""
        now = time.monotonic()
        with self.lock:
            if now - self.began_at < pause:
                return False
            self.began_at = now
            return True


_of = PerProvider(lambda _: _Kept())
_background = ThreadPoolExecutor(1, thread_name_prefix="key-sets")


def keep_fetched(providers: Collection[Provider]) -> None:
    """Fetch the key sets of providers now and again and again, in a thread, until the process ends."""
    if providers:
        threading.Thread(target=_fetch_until_the_end, args=(providers,), name="key-sets").start()


def candidates(provider: Provider, kid: str | None) -> tuple[Key, ...]:
    """The keys that a token of a log-in may be signed with; without a ``kid`` each key of the provider's algorithm.

    Raises:
        Unavailable: there are no keys, and they cannot be fetched.
    """
    kept = _of(provider)
    if not kept.has(kid) and kept.take_slot(PAUSE_SECONDS):
        _refresh(provider, kept)
    return _matching(provider, kept, kid)


def known(provider: Provider, kid: str) -> tuple[Key, ...]:
    """The keys that a bearer token may be signed with; an unknown ``kid`` begins a fetch, for which nobody waits.

    Raises:
        Unavailable: there are no keys yet.
    """
    kept = _of(provider)
    if not kept.has(kid) and kept.take_slot(PAUSE_SECONDS):
        _background.submit(_refresh, provider, kept)
    return _matching(provider, kept, kid)


def read_key_set(found: dict[str, Any], provider: Provider) -> tuple[Key, ...]:
    """The keys of a set that check signatures of the provider's algorithm; others are ignored.

    Raises:
        ValueError: the set is missing, empty or too large.
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


def _fetch_until_the_end(providers: Collection[Provider]) -> None:
    main, began_at = threading.main_thread(), time.monotonic()
    while main.is_alive():
        for provider in providers:
            kept = _of(provider)
            if kept.age() > REFRESH_SECONDS and kept.take_slot(PAUSE_SECONDS):
                _refresh(provider, kept)
            KEY_AGE.labels(provider.name).set(min(kept.age(), time.monotonic() - began_at))
        main.join(PAUSE_SECONDS)


def _matching(provider: Provider, kept: _Kept, kid: str | None) -> tuple[Key, ...]:
    if kept.age() > STALE_SECONDS:
        # The fetch that failed has told the operator why.
        raise Unavailable(
            Code.PROVIDER_UNAVAILABLE,
            f"The keys of the identity provider {provider.name} cannot be had right now; try again.",
        )
    return kept.matching(kid)


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
