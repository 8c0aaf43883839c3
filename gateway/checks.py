"""Misconfiguration that the settings' types cannot see, as Django system checks; start-up logs or refuses it."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # pylint: disable=redefined-builtin


@register()
def secret_key_is_set(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``gateway.E001``: there is no secret key."""
    del app_configs, kwargs
    if settings.GATEWAY.secret_key.get_secret_value():
        return []
    return [
        Error(
            "GATEWAY_SECRET_KEY is not set",
            hint="set it, or GATEWAY_SECRET_KEY_FILE, to 50 or more random characters",
            id="gateway.E001",
        )
    ]


@register()
def tokens_are_signed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """``gateway.W001``: anybody can claim to be any user."""
    del app_configs, kwargs
    if not settings.GATEWAY.unsigned_tokens:
        return []
    return [
        Warning(
            "GATEWAY_UNSIGNED_TOKENS is on: whoever reaches the gateway can search as any known user",
            hint="switch it off except on a machine of your own",
            id="gateway.W001",
        )
    ]
