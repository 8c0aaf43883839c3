"""Django application of the room ``serving``."""

from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from gateway.http.database_check import check_by_socket
from gateway.http.database_timeout import limit_statements


class ServingConfig(AppConfig):
    """Registers the gateway's system checks, and the time-out and the health check of database connections."""

    name = "gateway.serving"

    def ready(self) -> None:
        """Register them."""
        import_module("gateway.serving.checks")
        connection_created.connect(limit_statements)
        connection_created.connect(check_by_socket)
