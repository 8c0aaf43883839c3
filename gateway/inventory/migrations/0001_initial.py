# As Django generates it.
# ruff: noqa: RUF012
# pylint: skip-file

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="InventoryType",
            fields=[
                ("name", models.CharField(editable=False, max_length=128, primary_key=True, serialize=False)),
                ("definition", models.JSONField(editable=False)),
                ("schema_version", models.PositiveIntegerField(editable=False)),
                ("index", models.CharField(editable=False, max_length=255, unique=True)),
                ("physical_index", models.CharField(editable=False, max_length=255)),
                ("building_index", models.CharField(editable=False, max_length=255, null=True)),
                ("prepared", models.TextField(editable=False, null=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
            ],
            options={
                "db_table": "inventory_type",
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("sequence", models.BigAutoField(primary_key=True, serialize=False)),
                ("change_id", models.UUIDField(editable=False, unique=True)),
                ("feed", models.PositiveBigIntegerField(editable=False, null=True, unique=True)),
                ("type", models.CharField(editable=False, max_length=128)),
                ("document_id", models.CharField(editable=False, max_length=128)),
                ("root_type", models.CharField(editable=False, max_length=128)),
                ("root_id", models.CharField(editable=False, max_length=128)),
                ("version", models.PositiveBigIntegerField(editable=False)),
                (
                    "op",
                    models.CharField(
                        choices=[
                            ("create", "Create"),
                            ("replace", "Replace"),
                            ("patch", "Patch"),
                            ("delete", "Delete"),
                            ("restore", "Restore"),
                            ("erase", "Erase"),
                        ],
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField(editable=False)),
                ("actor", models.CharField(editable=False, max_length=150, null=True)),
                ("request_id", models.CharField(editable=False, max_length=128)),
                ("event_metadata", models.JSONField(editable=False)),
                ("changed", models.JSONField(editable=False)),
                ("import_id", models.UUIDField(editable=False, null=True)),
                ("body", models.TextField(editable=False, null=True)),
                ("partition", models.PositiveIntegerField(editable=False, null=True)),
                ("offset", models.PositiveBigIntegerField(editable=False, null=True)),
            ],
            options={
                "db_table": "inventory_change",
                "indexes": [
                    models.Index(
                        condition=models.Q(("feed", None)), fields=["sequence"], name="inventory_change_unnumbered"
                    ),
                    models.Index(fields=["type", "feed"], name="inventory_change_of_type"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("type", "document_id", "version"), name="inventory_change_version")
                ],
            },
        ),
        migrations.CreateModel(
            name="RelayState",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("holder", models.CharField(editable=False, max_length=255, null=True)),
                ("epoch", models.PositiveBigIntegerField(default=0, editable=False)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("last_feed", models.PositiveBigIntegerField(default=0, editable=False)),
                ("topic_id", models.CharField(editable=False, max_length=64, null=True)),
                ("positions", models.JSONField(default=dict, editable=False)),
            ],
            options={
                "verbose_name_plural": "relay state",
                "db_table": "inventory_relay_state",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="inventory_relay_state_single")
                ],
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("type", models.CharField(editable=False, max_length=128)),
                ("document_id", models.CharField(editable=False, max_length=128)),
                ("version", models.PositiveBigIntegerField(editable=False)),
                ("tree_version", models.PositiveBigIntegerField(editable=False)),
                ("body", models.TextField(editable=False, null=True)),
                ("schema_version", models.PositiveIntegerField(editable=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "index_state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("rejected", "Rejected")],
                        default="pending",
                        editable=False,
                        max_length=8,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="inventory.document",
                    ),
                ),
            ],
            options={
                "db_table": "inventory_document",
                "constraints": [
                    models.UniqueConstraint(fields=("type", "document_id"), name="inventory_document_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(editable=False, max_length=255)),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("status", models.PositiveSmallIntegerField(editable=False)),
                ("headers", models.JSONField(editable=False)),
                ("body", models.TextField(editable=False)),
                ("expires_at", models.DateTimeField(db_index=True, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="idempotency_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "inventory_idempotency_key",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "key"), name="inventory_idempotency_key_of_user")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reference",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("type", models.CharField(editable=False, max_length=128)),
                ("document_id", models.CharField(editable=False, max_length=128)),
                ("target_type", models.CharField(editable=False, max_length=128)),
                ("target_id", models.CharField(editable=False, max_length=128)),
            ],
            options={
                "db_table": "inventory_reference",
                "indexes": [
                    models.Index(fields=["type", "document_id"], name="inventory_reference_of"),
                    models.Index(fields=["target_type", "target_id"], name="inventory_reference_to"),
                ],
            },
        ),
    ]
