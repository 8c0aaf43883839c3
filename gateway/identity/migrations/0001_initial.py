# As Django generates it.
# ruff: noqa: RUF012
# pylint: skip-file

import uuid

import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import gateway.identity.account_models
import gateway.identity.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "There is a user of this name."},
                        help_text="At most 150 letters, digits and @ . + - _",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                    ),
                ),
                ("full_name", models.CharField(blank=True, default="", max_length=150)),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        error_messages={"unique": "There is a user of this address."},
                        help_text="In lower case; the user can log in by it, and get a new password sent.",
                        max_length=254,
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "email_verified",
                    models.BooleanField(
                        default=False,
                        editable=False,
                        help_text="Whether the user has used a link that was sent to the address.",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("searcher", "Searcher"), ("auditor", "Auditor"), ("admin", "Admin")],
                        default="searcher",
                        max_length=16,
                    ),
                ),
                (
                    "granted_indices",
                    models.JSONField(
                        blank=True,
                        default=gateway.identity.models.every_index,
                        help_text='The indices that the user may search, among GATEWAY_SEARCH_INDICES; ["*"] is all of these.',
                        validators=[gateway.identity.models.check_grants],
                    ),
                ),
                (
                    "writable_types",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="The inventory types that the user may write, as an adapter does; administrators write every type.",
                        validators=[gateway.identity.models.check_types],
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text="Switch this off instead of deleting the user."),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DeniedToken",
            fields=[
                ("identifier", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.CharField(editable=False, max_length=16, primary_key=True, serialize=False)),
                ("name", models.CharField(help_text="What the key is for.", max_length=100)),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RefreshFamily",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("generation", models.PositiveIntegerField(default=0, editable=False)),
                ("password_mark", models.CharField(editable=False, max_length=64)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                ("expires_at", models.DateTimeField(db_index=True, editable=False)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refresh_families",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "refresh families",
            },
        ),
        migrations.CreateModel(
            name="Totp",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="totp",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("sealed_secret", models.CharField(editable=False, max_length=512)),
                ("confirmed_at", models.DateTimeField(editable=False, null=True)),
                ("last_step", models.BigIntegerField(default=0, editable=False)),
                ("recovery_digests", models.JSONField(default=list, editable=False)),
            ],
            options={
                "verbose_name_plural": "second factors",
            },
        ),
        migrations.CreateModel(
            name="ConsoleSession",
            fields=[
                ("digest", models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ("last_used_at", models.DateTimeField(editable=False)),
                ("expires_at", models.DateTimeField(db_index=True, editable=False)),
                (
                    "family",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="console_sessions",
                        to="identity.refreshfamily",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OAuthClient",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=gateway.identity.account_models.new_client_id,
                        editable=False,
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("digest", models.CharField(blank=True, editable=False, max_length=64)),
                ("grants", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="oauth_clients",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "OAuth client",
            },
        ),
        migrations.AddField(
            model_name="refreshfamily",
            name="client",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="refresh_families",
                to="identity.oauthclient",
            ),
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("digest", models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ("purpose", models.CharField(editable=False, max_length=32)),
                ("session", models.CharField(blank=True, editable=False, max_length=36)),
                ("tries", models.PositiveSmallIntegerField(editable=False)),
                ("data", models.JSONField(default=dict, editable=False)),
                ("expires_at", models.DateTimeField(db_index=True, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tickets", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UsedFlow",
            fields=[
                ("digest", models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField(db_index=True, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issuer", models.CharField(editable=False, max_length=255)),
                ("subject", models.CharField(editable=False, max_length=255)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "identities",
                "constraints": [
                    models.UniqueConstraint(fields=("issuer", "subject"), name="identity_issuer_subject"),
                ],
            },
        ),
    ]
