"""Misconfiguration that the settings' types cannot see, as Django system checks; start-up logs or refuses it.

They are for serving alone: a command such as ``migrate`` needs none of what they look at.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks  # pylint: disable=redefined-builtin

from gateway.audit.settings import AuditMode
from gateway.identity.access_tokens import key_set
from gateway.serving.settings import ProcessRole

MIN_SECRET_KEY_CHARACTERS = 50
SERVING = "serving"
"""The tag of these checks; to be had by ``python -m gateway check --deploy --tag serving`` too."""


def check_for_serving() -> list[CheckMessage]:
    """Run these checks, and Django's own."""
    return [*run_checks(), *run_checks(tags=[SERVING], include_deployment_checks=True)]


@register(SERVING, deploy=True)
def secret_key_is_long(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``gateway.E001``: the secret key is missing or could be guessed."""
    del app_configs, kwargs
    key = settings.GATEWAY.secret_key.get_secret_value()
    if len(key) >= MIN_SECRET_KEY_CHARACTERS:
        return []
    return [
        Error(
            f"GATEWAY_SECRET_KEY has fewer than {MIN_SECRET_KEY_CHARACTERS} characters"
            if key
            else "GATEWAY_SECRET_KEY is not set",
            hint=f"set it, or GATEWAY_SECRET_KEY_FILE, to {MIN_SECRET_KEY_CHARACTERS} or more random characters",
            id="gateway.E001",
        )
    ]


@register(SERVING, deploy=True)
def tokens_can_be_signed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``gateway.E002``: the key to sign tokens with is missing; for a query gateway, the one to verify them with."""
    del app_configs, kwargs
    if settings.GATEWAY.jwt_keys.get_secret_value():
        if settings.GATEWAY.role is ProcessRole.QUERY or key_set().keys[0].is_private:
            return []
        return [
            Error(
                "The first key of GATEWAY_JWT_KEYS signs, so it must be a private one",
                hint="put a private key first, or set GATEWAY_ROLE to query for a gateway that signs nothing",
                id="gateway.E002",
            )
        ]
    return [
        Error(
            "GATEWAY_JWT_KEYS is not set",
            hint='set it, or GATEWAY_JWT_KEYS_FILE, to an RSA key as "openssl genrsa 3072" prints it',
            id="gateway.E002",
        )
    ]


@register(SERVING, deploy=True)
def tokens_are_signed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``gateway.W001``: anybody can claim to be any user."""
    del app_configs, kwargs
    if not settings.GATEWAY.unsigned_tokens:
        return []
    return [
        Warning(
            "GATEWAY_UNSIGNED_TOKENS is on: anybody who reaches the gateway can search as any known user",
            hint="switch it off except on a machine of your own",
            id="gateway.W001",
        )
    ]


@register(SERVING, deploy=True)
def passwords_stay_with_their_owners(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``gateway.W003``: programs are given passwords of people."""
    del app_configs, kwargs
    if not settings.GATEWAY.password_grant:
        return []
    return [
        Warning(
            "GATEWAY_PASSWORD_GRANT is on: programs that people type their passwords into can log in as them, and no "
            "second factor stands in between (RFC 9700, section 2.4, forbids it)",
            hint="switch it off when the last client that needs it is gone",
            id="gateway.W003",
        )
    ]


@register(SERVING, deploy=True)
def events_are_waited_for(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``gateway.W002``: requests may be answered that no event tells of."""
    del app_configs, kwargs
    if settings.GATEWAY.audit_mode is AuditMode.DURABLE:
        return []
    return [
        Warning(
            "GATEWAY_AUDIT_MODE is async: answers do not wait for their events, of which some may be lost",
            hint="set it to durable where the audit trail has to be whole",
            id="gateway.W002",
        )
    ]
