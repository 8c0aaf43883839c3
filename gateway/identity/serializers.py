"""Serializers of requests below ``/auth/``."""

from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from rest_framework import serializers

from gateway.http.fields import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer
from gateway.identity.access_tokens import MAX_CHARACTERS as MAX_ACCESS_CHARACTERS
from gateway.identity.account_models import GRANTS
from gateway.identity.models import Role, User
from gateway.identity.refresh_tokens import MAX_CHARACTERS as MAX_REFRESH_CHARACTERS
from gateway.identity.sealing import MAX_CHARACTERS as MAX_SEALED_CHARACTERS

MAX_KEY_DAYS = 3650
MAX_TICKET_CHARACTERS = 64
MAX_PASSWORD_CHARACTERS = 1024
TAIL = "tail"
DOWNLOAD = "download"


class UserNameField(StrictCharField):
    """A user name, normalised as names are kept before its length is looked at."""

    def to_internal_value(self, data: Any) -> str:
        """Bring it into the one form (Unicode's NFKC) of all ways to write it."""
        return User.normalize_username(super().to_internal_value(data))


class MailAddressField(StrictCharField):
    """A mail address in ASCII; kept in lower case, so that one mailbox has one user."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validators=[EmailValidator(message="This is no mail address.")], **options)

    def to_internal_value(self, data: Any) -> str:
        """Bring it into lower case."""
        text = super().to_internal_value(data)
        # Beyond ASCII two addresses may look the same, or become the same in lower case.
        if not text.isascii():
            raise serializers.ValidationError("Only addresses in ASCII are taken.")
        return text.lower()


class LogInSerializer(StrictSerializer):
    """Credentials for a token."""

    username = UserNameField(required=False, max_length=150)
    email = MailAddressField(required=False, max_length=254, help_text="Instead of username.")
    password = StrictCharField(required=False, max_length=MAX_PASSWORD_CHARACTERS)
    api_key = StrictCharField(required=False, max_length=128, help_text="Instead of username and password.")
    ticket = StrictCharField(
        required=False, max_length=MAX_TICKET_CHARACTERS, help_text="Of a 401 factor_required; goes with code."
    )
    code = StrictCharField(required=False, max_length=32, help_text="Of the authenticator, or a recovery code.")
    code_verifier = StrictCharField(
        required=False, max_length=128, help_text="Of PKCE; goes with a ticket that a log-in returned to a page."
    )

    def validate(self, attrs: Any) -> Any:
        """Refuse anything but one of the pairs, or the other member."""
        shown = set(attrs) - ({"code_verifier"} if "ticket" in attrs else set())
        if shown not in ({"username", "password"}, {"email", "password"}, {"api_key"}, {"ticket", "code"}):
            raise serializers.ValidationError("Send username or email, and password; or ticket and code; or api_key.")
        return attrs


class SignUpSerializer(StrictSerializer):
    """Sign-up of a new user; the address becomes the user's name."""

    email = MailAddressField(max_length=150)
    password = StrictCharField(max_length=MAX_PASSWORD_CHARACTERS)
    full_name = StrictCharField(max_length=150, allow_blank=True)

    def validate_email(self, value: str) -> str:
        """Refuse an address that cannot be a user's name."""
        try:
            UnicodeUsernameValidator()(value)
        except ValidationError:
            raise serializers.ValidationError("Only letters, digits and @ . + - _ are taken.") from None
        return value


class LinkSerializer(StrictSerializer):
    """The token of a link that was sent."""

    token = StrictCharField(max_length=MAX_SEALED_CHARACTERS)


class ForgottenSerializer(StrictSerializer):
    """The address of somebody who has forgotten the password."""

    email = MailAddressField(max_length=254)


class ResetSerializer(StrictSerializer):
    """The token of a link that was sent, and the new password."""

    token = StrictCharField(max_length=MAX_SEALED_CHARACTERS)
    new_password = StrictCharField(max_length=MAX_PASSWORD_CHARACTERS)


class ChangeSerializer(StrictSerializer):
    """The password as it is, and as it is to be."""

    old_password = StrictCharField(max_length=MAX_PASSWORD_CHARACTERS)
    new_password = StrictCharField(max_length=MAX_PASSWORD_CHARACTERS)


class _UserSerializer(StrictSerializer):
    """Members of a user that administrators set."""

    full_name = StrictCharField(required=False, max_length=150, allow_blank=True)
    email = MailAddressField(required=False, max_length=254, allow_null=True)
    password = StrictCharField(required=False, max_length=MAX_PASSWORD_CHARACTERS)
    role = serializers.ChoiceField(required=False, choices=Role.choices)
    indices = serializers.ListField(
        required=False,
        child=StrictCharField(max_length=255),
        max_length=100,
        help_text="The indices that the user may search; `*` for all. A new user may search none.",
    )
    writable_types = serializers.ListField(
        required=False,
        child=StrictCharField(max_length=128),
        max_length=100,
        help_text="The inventory types that the user may write, as an adapter does.",
    )


class NewUserSerializer(_UserSerializer):
    """A user to be made."""

    username = UserNameField(max_length=150)


class UserPatchSerializer(_UserSerializer):
    """Members of a user to be changed (RFC 7396); the others stay."""

    active = StrictBooleanField(required=False)
    totp = StrictBooleanField(required=False, help_text="false takes the second factor of somebody who lost it.")

    def validate_totp(self, value: bool) -> bool:  # as the framework calls it
        """Refuse to make one: the user does that."""
        if value:
            raise serializers.ValidationError("Only false is taken; a user begins a second factor by POST /auth/totp.")
        return value


class EnrolSerializer(StrictSerializer):
    """Ticket of a log-in that begins a second factor without a token."""

    ticket = StrictCharField(
        required=False, max_length=MAX_TICKET_CHARACTERS, help_text="Of a 401 factor_required, instead of a token."
    )


class FirstCodeSerializer(EnrolSerializer):
    """A first code of an authenticator."""

    code = StrictCharField(max_length=32)


class _ClientSerializer(StrictSerializer):
    """Members of an OAuth client that administrators set."""

    user = UserNameField(
        required=False, max_length=150, allow_null=True, help_text="Who it is by client_credentials; no administrator."
    )

    def validate_grants(self, value: list[str]) -> list[str]:
        """Bring them into order, each once."""
        return sorted(set(value))


class NewClientSerializer(_ClientSerializer):
    """An OAuth client to be registered."""

    name = StrictCharField(max_length=100, help_text="What it is.")
    grants = serializers.ListField(child=serializers.ChoiceField(choices=GRANTS), allow_empty=False, max_length=10)
    confidential = StrictBooleanField(default=True, help_text="false for one that can keep no secret.")


class ClientPatchSerializer(_ClientSerializer):
    """Members of an OAuth client to be changed (RFC 7396); the others stay."""

    name = StrictCharField(required=False, max_length=100)
    grants = serializers.ListField(
        required=False, child=serializers.ChoiceField(choices=GRANTS), allow_empty=False, max_length=10
    )


class SessionTokenSerializer(StrictSerializer):
    """Purpose of a token of the console's session."""

    idle = StrictBooleanField(
        default=False,
        help_text="true for what the page does by itself, such as opening a socket again: the session lasts no longer.",
    )


class TicketSerializer(StrictSerializer):
    """Request for a ticket."""

    search = serializers.DictField(required=False, help_text="The body of POST /search; for a download.")
    format = serializers.ChoiceField(required=False, choices=("ndjson", "csv"), help_text="For a download.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the member whose name is a word of Python's."""
        return {"for": serializers.ChoiceField(choices=("notifications", TAIL, DOWNLOAD)), **super().get_fields()}

    def validate(self, attrs: Any) -> Any:
        """Take a search with its format for a download, and for nothing else."""
        if set(attrs) - {"for"} != ({"search", "format"} if attrs["for"] == DOWNLOAD else set()):
            raise serializers.ValidationError("A download takes search and format, and nothing else does.")
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
