"""Costs of tokens within a process: ``python -m tests.benchmarks.identity_costs``, in a gateway's environment.

A bearer token of this gateway, signed alone and encrypted, and one of a provider, each from the header to the user; how
long wrong ones take to be refused; and the fetches that 10,000 unknown ``kid`` cause. It prints JSON, times in
milliseconds. The first user of the database is who comes in.
"""

import base64
import hmac
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import django
import orjson
from joserfc import jwe, jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from rest_framework.exceptions import AuthenticationFailed

from local.identity_provider import new_key

_TIMES = 2_000
_FLOOD = 10_000
_KEY = new_key("one")
_JWE_KEYS = SecretStr(base64.b64encode(bytes(range(32))).decode())


def main() -> None:
    """Measure, and print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    django.setup()
    # pylint: disable=import-outside-toplevel  # models, which Django has to be set up for
    from gateway.identity.account_models import Identity
    from gateway.identity.models import User
    from tests.support.hostile_provider import CLIENT_ID, hostile_provider

    user = User.objects.order_by("pk")[0]
    with (
        hostile_provider(_KEY) as provider,
        _changed(providers=_table(provider.issuer, CLIENT_ID), loopback_providers=True),
    ):
        Identity.objects.get_or_create(user=user, issuer=provider.issuer, subject="ada")
        now = int(time.time())
        claims = {"iss": provider.issuer, "sub": "ada", "aud": CLIENT_ID, "iat": now, "exp": now + 3600}
        foreign = provider.id_token(claims)
        _until_taken(foreign)
        found = {"taken": _taken(user, foreign), "refused": _refused(claims, foreign)}
        before = provider.seen.count("GET /keys")
        for number in range(_FLOOD):
            _refuse(f"{_part({'alg': 'RS256', 'kid': f'unknown-{number}'})}.{_part(claims)}.AAAA")
        flood = {"unknown kids": _FLOOD, "fetches before": before, "fetches after": provider.seen.count("GET /keys")}
    print(orjson.dumps({**found, "flood": flood}).decode())


def _taken(user: Any, foreign: str) -> dict[str, float]:
    """The medians of tokens that are taken."""
    ours = _minted(user)
    with _changed(jwe_keys=_JWE_KEYS):
        tokens = {"ours": ours, "ours, encrypted": _minted(user), "a provider's": foreign}
        return _medians({name: partial(_come_in, each) for name, each in tokens.items()})


def _refused(claims: dict[str, Any], foreign: str) -> dict[str, float]:
    """The medians of tokens that are refused."""
    evil = "https://evil.example/"
    headers: dict[str, dict[str, Any]] = {
        "alg none": {"alg": "none"},
        "crit": {"crit": ["exp"]},
        "jku": {"jku": evil},
        "jwk": {"jwk": _KEY.as_dict(private=False)},
        "x5u": {"x5u": evil},
        "zip": {"zip": "DEF"},
        "p2c": {"alg": "PBES2-HS256+A128KW", "p2c": 2**31 - 1, "p2s": "AAAA"},
    }
    tokens = {
        name: f"{_part({'alg': 'RS256', 'kid': 'one', **header})}.{_part(claims)}.AAAA"
        for name, header in headers.items()
    }
    tokens |= {
        "HS256 with the public key": _with_public_key(claims),
        "JWE under our public key": _under_public_key(foreign),
        "JWE with zip": f"{_part({'alg': 'dir', 'enc': 'A256GCM', 'zip': 'DEF'})}..AAAA.AAAA.AAAA",
        "JWE with p2c": f"{_part({**headers['p2c'], 'enc': 'A256GCM'})}.AAAA.AAAA.AAAA.AAAA",
        "unknown kid": jwt.encode({"alg": "RS256", "kid": "two"}, claims, _KEY),
        "wrong signature": foreign[:-8] + "AAAAAAAA",
    }
    return _medians({name: partial(_refuse, each) for name, each in tokens.items()})


def _with_public_key(claims: dict[str, Any]) -> str:
    """A token whose HMAC has the provider's public key as its secret."""
    text = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
    return f"{text}.{_encoded(hmac.digest(_KEY.as_pem(private=False), text.encode(), 'sha256'))}"


def _under_public_key(token: str) -> str:
    """A token encrypted under the public key of our own tokens, whose decryption would cost a private operation."""
    from gateway.identity.access_tokens import key_set  # pylint: disable=import-outside-toplevel  # as above

    shown = key_set().keys[0].as_dict(private=False)
    key = RSAKey.import_key({name: value for name, value in shown.items() if name != "use"})
    return jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM"}, token, key)


def _come_in(token: str) -> Any:
    """Find the user of a token, from the header on."""
    from gateway.identity.authentication import (  # pylint: disable=import-outside-toplevel  # as above
        HeaderAuthentication,
    )

    request: Any = SimpleNamespace(META={"HTTP_AUTHORIZATION": f"Bearer {token}"})
    return HeaderAuthentication().authenticate(request)


def _refuse(token: str) -> None:
    try:
        _come_in(token)
    except AuthenticationFailed:
        return
    raise AssertionError("a wrong token has been taken")


@contextmanager
def _changed(**changed: Any) -> Iterator[None]:
    """Other settings of the gateway, while the block lasts."""
    from django.conf import settings  # pylint: disable=import-outside-toplevel  # as above

    before = settings.GATEWAY
    settings.GATEWAY = before.model_copy(update=changed)
    yield
    settings.GATEWAY = before


def _table(issuer: str, client_id: str) -> SecretStr:
    corp = {"issuer": issuer, "client_id": client_id, "client_secret": "any", "bearer": True}
    return SecretStr(orjson.dumps({"corp": corp}).decode())


def _minted(user: Any) -> str:
    from gateway.identity.access_tokens import mint  # pylint: disable=import-outside-toplevel  # as above

    return mint(user, "a session", datetime.now(UTC))


def _until_taken(token: str) -> None:
    """Show a token until the provider's keys are there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            _come_in(token)
            return
        except Exception:  # pylint: disable=broad-exception-caught  # of whatever kind, until there is no time left
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _medians(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median time of each call, all in turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_TIMES):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - begun) * 1000)
    return {name: round(statistics.median(each), 4) for name, each in times.items()}


def _part(part: Any) -> str:
    return _encoded(orjson.dumps(part))


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
