"""``python -m gateway live``: live sockets, until SIGTERM."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from gateway.audit.delivery import event_delivery
from gateway.identity.management.database import require_database
from gateway.identity.providers.key_sets import keep_fetched
from gateway.identity.providers.settings import read_providers
from gateway.live.server import serve
from kit import tracing
from kit.logs import take_over

_BAD_CONFIGURATION = 2


class Command(BaseCommand):
    """Serves live sockets in the foreground."""

    help = "Serve live sockets, of notifications and of the audit trail's tail, until SIGTERM."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until a signal.

        Raises:
            CommandError: the database is not ready.
        """
        require_database()
        take_over()
        tracing.set_up("gateway_live", settings.TRACING)
        try:
            # Now rather than with the first tail: it may have events to send that an earlier process left.
            event_delivery()
            keep_fetched(read_providers(settings.GATEWAY.providers.get_secret_value()).values())
            serve()
        except OSError as error:
            self.stderr.write(f"GATEWAY_LIVE_HOST, GATEWAY_LIVE_PORT, GATEWAY_SPOOL_DIR: {error.strerror}")
            sys.exit(_BAD_CONFIGURATION)
