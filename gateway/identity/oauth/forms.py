"""Requests of ``/oauth/``: forms, whose unknown parameters are ignored (RFC 6749, section 3.2)."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gateway.http.fields import StrictCharField
from gateway.http.json_media import JSONParser
from gateway.http.query_string import read_form
from gateway.identity.access_tokens import MAX_CHARACTERS as MAX_TOKEN_CHARACTERS
from gateway.identity.account_models import GRANTS
from gateway.identity.oauth.errors import OAuthError, OAuthErrorName
from gateway.identity.serializers import MAX_PASSWORD_CHARACTERS

MEDIA_TYPE = "application/x-www-form-urlencoded"


class FormParser(JSONParser):  # pylint: disable=too-few-public-methods  # as the framework has it
    """Reads a form, as long as its endpoint takes."""

    media_type = MEDIA_TYPE

    def read(self, body: bytes) -> dict[str, str]:
        """Read the whole body; a parameter without a value counts as omitted."""
        return {name: value for name, value in read_form(body.decode("latin-1")).items() if value}


class _Form(serializers.Serializer[Any]):
    client_id = StrictCharField(required=False, max_length=128, help_text="Unless the header Authorization has it.")
    client_secret = StrictCharField(required=False, max_length=128, help_text="Of a confidential client, as before.")


class TokenForm(_Form):
    """Request for tokens."""

    grant_type = StrictCharField(max_length=64, help_text=f"One of {', '.join(GRANTS)}, as far as they are on.")
    code = StrictCharField(required=False, max_length=64, help_text="For authorization_code.")
    code_verifier = StrictCharField(required=False, max_length=128, help_text="For authorization_code (RFC 7636).")
    redirect_uri = StrictCharField(required=False, max_length=2048, help_text="For authorization_code.")
    refresh_token = StrictCharField(required=False, max_length=512, help_text="For refresh_token.")
    username = StrictCharField(required=False, max_length=150, help_text="For password.")
    password = StrictCharField(required=False, max_length=MAX_PASSWORD_CHARACTERS, help_text="For password.")


class OneTokenForm(_Form):
    """A token that is asked about, or ended."""

    token = StrictCharField(max_length=MAX_TOKEN_CHARACTERS)
    token_type_hint = StrictCharField(required=False, max_length=64, help_text="Not needed.")


def check_form(form: type[serializers.Serializer[Any]], data: Any) -> dict[str, str]:
    """Check the lengths of a form's parameters, and that none is missing that is always needed.

    Raises:
        OAuthError: ``invalid_request``.
    """
    if not isinstance(data, Mapping):
        data = {}
    try:
        checked: dict[str, str] = form().run_validation(dict(data.items()))
    except serializers.ValidationError as error:
        names = ", ".join(error.detail) if isinstance(error.detail, dict) else "the form"
        raise OAuthError(OAuthErrorName.INVALID_REQUEST, f"Missing or invalid: {names}.") from None
    return checked


def needed(form: Mapping[str, str], *names: str) -> list[str]:
    """The values of parameters that a grant needs.

    Raises:
        OAuthError: ``invalid_request``, one is missing.
    """
    missing = [name for name in names if name not in form]
    if missing:
        raise OAuthError(OAuthErrorName.INVALID_REQUEST, f"Missing: {', '.join(missing)}.")
    return [form[name] for name in names]
