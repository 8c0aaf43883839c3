"""The gateway as a Django application."""

from importlib import import_module

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """Registers the gateway's system checks."""

    name = "gateway"

    def ready(self) -> None:
        """Register the checks."""
        import_module("gateway.checks")
