# As Django generates it.
# ruff: noqa: RUF012
# pylint: skip-file

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import gateway.notify.models
import gateway.saved.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("event", models.TextField(editable=False)),
                ("at", models.DateTimeField(editable=False)),
            ],
            options={
                "db_table": "saved_outbox",
            },
        ),
        migrations.CreateModel(
            name="Saved",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=gateway.notify.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("search", "Search"), ("collection", "Collection")], editable=False, max_length=10
                    ),
                ),
                ("title", models.CharField(editable=False, max_length=200)),
                ("description", models.TextField(blank=True, editable=False)),
                ("content", models.JSONField(editable=False)),
                (
                    "visibility",
                    models.CharField(
                        choices=[("me", "Me"), ("users", "Users"), ("everyone", "Everyone")],
                        default="me",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=gateway.saved.models.keep_shared,
                        related_name="saved",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "saved searches and collections that nobody else sees",
                "db_table": "saved_item",
            },
        ),
        migrations.CreateModel(
            name="Share",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[("viewer", "Viewer"), ("editor", "Editor"), ("owner", "Owner")],
                        editable=False,
                        max_length=6,
                    ),
                ),
                (
                    "saved",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shares", to="saved.saved"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shares", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "db_table": "saved_share",
            },
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("interval", models.PositiveIntegerField(editable=False)),
                ("next_at", models.DateTimeField(db_index=True, editable=False)),
                ("looked_at", models.DateTimeField(editable=False, null=True)),
                ("basis", models.CharField(editable=False, max_length=64, null=True)),
                ("index_state", models.CharField(blank=True, editable=False, max_length=64)),
                ("uses_now", models.BooleanField(default=False, editable=False)),
                ("hashes", models.BinaryField(default=bytes)),
                ("problem", models.CharField(blank=True, editable=False, max_length=500)),
                (
                    "saved",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="watches", to="saved.saved"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="watches", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "watches",
                "db_table": "saved_watch",
            },
        ),
        migrations.AddIndex(
            model_name="saved",
            index=models.Index(fields=["kind", "owner"], name="saved_item_of_owner"),
        ),
        migrations.AddConstraint(
            model_name="share",
            constraint=models.UniqueConstraint(fields=("saved", "user"), name="saved_share_once"),
        ),
        migrations.AddConstraint(
            model_name="watch",
            constraint=models.UniqueConstraint(fields=("saved", "user"), name="saved_watch_once"),
        ),
    ]
