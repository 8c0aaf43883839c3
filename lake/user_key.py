"""Keyed hash that stands for a user's name wherever a name may not be."""

import hmac
from functools import lru_cache

from kit.settings import ConfigurationError
from lake.settings import LakeSettings

_HEX_DIGITS = 32


class UserKeys:  # pylint: disable=too-few-public-methods  # `of` is one, made of a private one
    """Maker of users' keys: HMAC-SHA-256 (RFC 2104) cut to 128 bits, as 32 hexadecimal digits.

    Args:
        settings: has the secret.

    Raises:
        ConfigurationError: there is none.
    """

    def __init__(self, settings: LakeSettings) -> None:
        if settings.user_key is None:
            raise ConfigurationError(
                "LAKE_USER_KEY: missing; set it, or LAKE_USER_KEY_FILE, to a secret of 32 characters or more"
            )
        self._secret = settings.user_key.get_secret_value().encode()
        self.of = lru_cache(maxsize=65_536)(self._make)

    def _make(self, user_id: str) -> str:
        """Make the key of one name."""
        return hmac.digest(self._secret, user_id.encode(), "sha256").hex()[:_HEX_DIGITS]
