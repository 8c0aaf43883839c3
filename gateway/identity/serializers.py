"""Serializers of requests below ``/auth/``."""

from typing import Any

from rest_framework import serializers

from gateway.http.fields import StrictCharField, StrictIntegerField, StrictSerializer
from gateway.identity.access_tokens import MAX_CHARACTERS as MAX_ACCESS_CHARACTERS
from gateway.identity.models import User
from gateway.identity.refresh_tokens import MAX_CHARACTERS as MAX_REFRESH_CHARACTERS

MAX_KEY_DAYS = 3650


class UserNameField(StrictCharField):
    """A user name, normalised as names are kept before its length is looked at."""

    def to_internal_value(self, data: Any) -> str:
        """Bring it into the one form (Unicode's NFKC) of all ways to write it."""
        return User.normalize_username(super().to_internal_value(data))


class LogInSerializer(StrictSerializer):
    """Credentials for a token."""

    username = UserNameField(required=False, max_length=150)
    password = StrictCharField(required=False, max_length=1024)
    api_key = StrictCharField(required=False, max_length=128, help_text="Instead of username and password.")

    def validate(self, attrs: Any) -> Any:
        """Refuse anything but the one pair or the other member."""
        if set(attrs) not in ({"username", "password"}, {"api_key"}):
            raise serializers.ValidationError("Send either username and password, or api_key.")
        return attrs


class RefreshSerializer(StrictSerializer):
    """The refresh token to use up."""

    refresh_token = StrictCharField(max_length=MAX_REFRESH_CHARACTERS)


class RevokeSerializer(StrictSerializer):
    """The token to end."""

    token = StrictCharField(max_length=MAX_ACCESS_CHARACTERS, help_text="An access token or a refresh token.")


class KeySerializer(StrictSerializer):
    """An API key to be made."""

    name = StrictCharField(max_length=100, help_text="What it is for.")
    expires_in_days = StrictIntegerField(
        default=90, min_value=1, max_value=MAX_KEY_DAYS, allow_null=True, help_text="null for never."
    )
