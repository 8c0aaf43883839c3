# As Django generates it.
# ruff: noqa: RUF012
# pylint: skip-file

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import gateway.notify.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("identity", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Inbox",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="inbox",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("last_number", models.PositiveBigIntegerField(default=0, editable=False)),
            ],
            options={
                "verbose_name_plural": "inboxes",
                "db_table": "notify_inbox",
            },
        ),
        migrations.CreateModel(
            name="FollowerState",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("last_feed", models.PositiveBigIntegerField(default=0, editable=False)),
            ],
            options={
                "verbose_name_plural": "follower state",
                "db_table": "notify_follower_state",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="notify_follower_state_single")
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveBigIntegerField(editable=False, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("inventory.changed", "Inventory Changed"),
                            ("inventory.imported", "Inventory Imported"),
                            ("saved.changed", "Saved Changed"),
                            ("watch.found", "Watch Found"),
                        ],
                        editable=False,
                        max_length=32,
                    ),
                ),
                ("source", models.CharField(editable=False, max_length=64)),
                ("at", models.DateTimeField(db_index=True, editable=False)),
                ("data", models.JSONField(editable=False)),
                ("channels", models.JSONField(editable=False, null=True)),
                ("read_at", models.DateTimeField(editable=False, null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "notify_notification",
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=gateway.notify.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("type", models.CharField(db_index=True, editable=False, max_length=128)),
                ("members", models.JSONField(default=list, editable=False)),
                ("email", models.BooleanField(default=False, editable=False)),
                ("webhook", models.CharField(blank=True, editable=False, max_length=2048)),
                ("sealed_secret", models.CharField(blank=True, editable=False, max_length=512)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "notify_subscription",
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=gateway.notify.models.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "Email"), ("webhook", "Webhook")], editable=False, max_length=8
                    ),
                ),
                ("target", models.CharField(editable=False, max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("sent", "Sent"), ("dead", "Dead")],
                        default="pending",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("queued_at", models.DateTimeField(editable=False)),
                ("next_at", models.DateTimeField(editable=False)),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                ("last_error", models.CharField(blank=True, editable=False, max_length=200)),
                (
                    "notification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="notify.notification"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, to="notify.subscription"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "db_table": "notify_delivery",
            },
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(condition=models.Q(("number", None)), fields=["at"], name="notify_notification_open"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("read_at", None)), fields=["recipient"], name="notify_notification_unread"
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=("recipient", "source"), name="notify_notification_once"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=("recipient", "number"), name="notify_notification_number"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "pending")), fields=["channel", "next_at"], name="notify_delivery_due"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("state", "dead")), fields=["id"], name="notify_delivery_dead"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["target", "queued_at"], name="notify_delivery_of_target"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("notification", "target"), name="notify_delivery_once"),
        ),
    ]
