"""The gateway as a Django application."""

from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from gateway.http.database_timeout import limit_statements


class GatewayConfig(AppConfig):
    """Registers the gateway's system checks, and the limit of its database's statements."""

    name = "gateway"

    def ready(self) -> None:
        """Register them."""
        import_module("gateway.serving.checks")
        connection_created.connect(limit_statements)
