"""Users, and the credentials that they log in with."""

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from gateway.identity.account_models import OAuthClient
from gateway.identity.expiry import ExpiringQuerySet

EVERY_INDEX = "*"
"""As a grant: every index in ``GATEWAY_SEARCH_INDICES``."""

TYPE_NAME = re.compile(r"[a-z0-9][a-z0-9._:@~-]{0,127}")
"""Names of inventory types."""

LONGEST_TOKEN_SECONDS = 12 * 3600
"""The longest that an access token is valid: one of a client that asks for it once, and cannot ask again."""


class Role(models.TextChoices):  # pylint: disable=too-many-ancestors  # as the framework has it
    """Role of a user; each role includes the rights of those before it."""

    SEARCHER = "searcher"
    AUDITOR = "auditor"
    ADMIN = "admin"

    def includes(self, role: "Role") -> bool:
        """Whether somebody of this role may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(role)


def every_index() -> list[str]:
    """Default grants of a user."""
    return [EVERY_INDEX]


def check_grants(grants: Any) -> None:
    """Validate a list of index names.

    Raises:
        ValidationError: says what it must be.
    """
    if not isinstance(grants, list) or not all(isinstance(name, str) and name for name in grants):
        raise ValidationError('Grants are a list of index names, or ["*"] for every configured index.')


def check_types(types: Any) -> None:
    """Validate a list of names of inventory types.

    Raises:
        ValidationError: says what it must be.
    """
    if not isinstance(types, list) or not all(isinstance(name, str) and TYPE_NAME.fullmatch(name) for name in types):
        raise ValidationError('Writable types are a list of names of inventory types, such as ["product"].')


class UserManager(BaseUserManager["User"]):
    """Makes users."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; one without a password cannot log in by a password."""
        user = User(username=User.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Make an administrator, as Django's ``createsuperuser`` asks for."""
        return self.create_user(username, password, role=Role.ADMIN, **fields)


class User(AbstractBaseUser):
    """User, who may search while active.

    The role alone says what a user may do, Django's own administration included: there are no groups and no single
    permissions beside it.
    """

    username = models.CharField(
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "There is a user of this name."},
        help_text="At most 150 letters, digits and @ . + - _",
    )
    full_name = models.CharField(max_length=150, blank=True, default="")
    email = models.EmailField(
        unique=True,
        null=True,
        blank=True,
        error_messages={"unique": "There is a user of this address."},
        help_text="In lower case; the user can log in by it, and get a new password sent.",
    )
    email_verified = models.BooleanField(
        default=False, editable=False, help_text="Whether the user has used a link that was sent to the address."
    )
    role = models.CharField(max_length=16, choices=Role, default=Role.SEARCHER)
    granted_indices = models.JSONField(
        default=every_index,
        blank=True,
        validators=[check_grants],
        help_text='The indices that the user may search, among GATEWAY_SEARCH_INDICES; ["*"] is all of these.',
    )
    writable_types = models.JSONField(
        default=list,
        blank=True,
        validators=[check_types],
        help_text="The inventory types that the user may write, as an adapter does; administrators write every type.",
    )
    is_active = models.BooleanField(default=True, help_text="Switch this off instead of deleting the user.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "username"

    def save(self, *args: Any, **options: Any) -> None:
        """Save; a changed password ends all log-ins of the user in the same transaction.

        API keys stay: each is a credential of its own, and is revoked by itself.
        """
        saved = options.get("update_fields")
        with transaction.atomic():
            before = None
            if saved is None or "password" in saved:
                before = User.objects.select_for_update(no_key=True).filter(pk=self.pk).first()
            super().save(*args, **options)
            if before is not None and before.password != self.password:
                self.end_log_ins(datetime.now(UTC))

    def end_log_ins(self, now: datetime) -> None:
        """Revoke the refresh tokens of every log-in of the user, and their access tokens."""
        families = self.refresh_families.filter(revoked_at=None)
        DeniedToken.objects.deny([family.pk.hex for family in families], now)
        families.update(revoked_at=now)

    def lock(self) -> None:
        """Let other transactions that do this wait until this one ends; SQLite has one writer at a time anyway."""
        # With no_key, what only refers to the user, such as a log-in, does not wait.
        # Its number alone, since a query gateway may not read all of a user.
        User.objects.select_for_update(no_key=True).filter(pk=self.pk).values_list("pk").first()

    @property
    def is_staff(self) -> bool:
        """Whether the user may enter Django's administration."""
        return Role(self.role).includes(Role.ADMIN)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Whether the user may do something in Django's administration: all or nothing."""
        del perm, obj
        return self.is_active and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the user may see an application in Django's administration."""
        return self.has_perm(app_label)


class ApiKey(models.Model):
    """A long-lived credential for programs, exchanged for access tokens; of its secret only the digest is kept."""

    id = models.CharField(primary_key=True, max_length=16, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, help_text="What the key is for.")
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class RefreshFamily(models.Model):
    """One log-in and the refresh tokens that descend from it, of which only the newest is good.

    ``generation`` counts the tokens that have been used up. ``password_mark`` is Django's hash of the password's hash:
    it ends the family when the password is changed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="refresh_families")
    client = models.ForeignKey(OAuthClient, models.CASCADE, null=True, editable=False, related_name="refresh_families")
    generation = models.PositiveIntegerField(default=0, editable=False)
    password_mark = models.CharField(max_length=64, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ExpiringQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "refresh families"

    def __str__(self) -> str:
        return str(self.id)


class DeniedTokenQuerySet(ExpiringQuerySet):
    """Identifiers of access tokens that are refused."""

    def deny(self, identifiers: Iterable[str], now: datetime) -> None:
        """Refuse access tokens by ``jti`` or ``sid`` until the last of them has expired; delete the rows expired."""
        self.delete_expired(now)
        # Twice its life, as clocks may be apart.
        until = now + timedelta(seconds=2 * LONGEST_TOKEN_SECONDS)
        self.bulk_create(
            [DeniedToken(identifier=identifier, expires_at=until) for identifier in identifiers],
            update_conflicts=True,
            unique_fields=["identifier"],
            update_fields=["expires_at"],
        )


class DeniedToken(models.Model):
    """Access tokens that are refused before they expire: one by its ``jti``, or all of one log-in by their ``sid``."""

    identifier = models.CharField(primary_key=True, max_length=36)
    expires_at = models.DateTimeField(db_index=True)

    objects = DeniedTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return self.identifier
