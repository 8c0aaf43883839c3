"""Accounts of providers, tickets, second factors, sessions of the console, and OAuth clients.

Of each secret there is only a digest, or it is sealed.
"""

import secrets

from django.db import models
from django.utils import timezone

from gateway.identity.expiry import ExpiringQuerySet


class Ticket(models.Model):
    """A secret that stands for a user, for one purpose and for seconds or minutes.

    ``session`` is the ``sid`` of the token that it was made by, with which it ends; ``tries`` how often it may be shown
    yet.
    """

    digest = models.CharField(primary_key=True, max_length=64, editable=False)
    purpose = models.CharField(max_length=32, editable=False)
    user = models.ForeignKey("identity.User", models.CASCADE, related_name="tickets")
    session = models.CharField(max_length=36, blank=True, editable=False)
    tries = models.PositiveSmallIntegerField(editable=False)
    data = models.JSONField(default=dict, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = ExpiringQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user}"


class Identity(models.Model):
    """A provider's account that a user logs in by; the provider's issuer and its subject name it."""

    user = models.ForeignKey("identity.User", models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255, editable=False)
    subject = models.CharField(max_length=255, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name_plural = "identities"
        constraints = (models.UniqueConstraint(fields=["issuer", "subject"], name="identity_issuer_subject"),)

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"


class UsedFlow(models.Model):
    """The state of a log-in by a provider that has come back, or the token of a sign-up: neither is taken again."""

    digest = models.CharField(primary_key=True, max_length=64, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = ExpiringQuerySet.as_manager()

    def __str__(self) -> str:
        return self.digest


class Totp(models.Model):
    """A second factor: passwords of an authenticator (RFC 6238), and codes for who has lost it.

    Each password is good once: ``last_step`` is the time step of the last one. It is no factor before it is confirmed.
    """

    user = models.OneToOneField("identity.User", models.CASCADE, primary_key=True, related_name="totp")
    sealed_secret = models.CharField(max_length=512, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    last_step = models.BigIntegerField(default=0, editable=False)
    recovery_digests = models.JSONField(default=list, editable=False)

    class Meta:
        verbose_name_plural = "second factors"

    def __str__(self) -> str:
        return f"second factor of {self.user}"


class ConsoleSession(models.Model):
    """A session of the console, which can mint access tokens of its log-in; it ends with that."""

    digest = models.CharField(primary_key=True, max_length=64, editable=False)
    family = models.ForeignKey("identity.RefreshFamily", models.CASCADE, related_name="console_sessions")
    last_used_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = ExpiringQuerySet.as_manager()

    def __str__(self) -> str:
        return f"session of {self.family}"


def new_client_id() -> str:
    """A random id of a client."""
    return secrets.token_hex(8)


GRANTS = ("authorization_code", "client_credentials", "password", "refresh_token")
"""The grants that an OAuth client may have."""


class OAuthClient(models.Model):
    """A program that gets tokens at ``/oauth/token``; one without a secret is public (RFC 6749, section 2.1).

    ``user`` is who it is where it comes in for itself (``client_credentials``).
    """

    id = models.CharField(primary_key=True, max_length=16, default=new_client_id, editable=False)
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    grants = models.JSONField(default=list)
    user = models.ForeignKey("identity.User", models.CASCADE, null=True, blank=True, related_name="oauth_clients")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "OAuth client"

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"
