"""``python -m gateway worker``: what runs behind requests, until SIGTERM."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from gateway.identity.management.database import require_database
from gateway.inventory.turns import PartEnded
from gateway.inventory.worker import Worker
from gateway.notify import worker as notify
from gateway.saved import worker as saved
from kit import tracing
from kit.logs import take_over

_FAILED = 1
_BAD_CONFIGURATION = 2


class Command(BaseCommand):
    """Runs the worker in the foreground."""

    help = (
        "Publish the inventory's changes, make indices again, look at watched searches and send notifications, until "
        "SIGTERM. Of several, one does; others stand by."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal.

        Raises:
            CommandError: the database is not ready.
        """
        require_database()
        take_over()
        tracing.set_up("gateway_worker", settings.TRACING)
        try:
            Worker(notify.parts() | saved.parts()).run()
        except OSError as error:
            self.stderr.write(f"GATEWAY_WORKER_METRICS_HOST, GATEWAY_WORKER_METRICS_PORT: {error.strerror}")
            sys.exit(_BAD_CONFIGURATION)
        except PartEnded:
            # The log has the reason.
            sys.exit(_FAILED)
