"""The room ``inventory`` as a Django application."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class InventoryConfig(AppConfig):
    """Has the built-in types created by ``python -m gateway migrate``."""

    name = "gateway.inventory"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for the end of a migration."""
        # Its models cannot be imported before.
        builtin_types = import_module("gateway.inventory.builtin_types")
        post_migrate.connect(builtin_types.install_builtin_types, sender=self)
