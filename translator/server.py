"""Server process of the translator."""

import gc
import logging
import logging.config
from typing import Any

from granian.constants import Interfaces, RuntimeModes

from elastic.settings import ElasticsearchSettings
from kit import logs, tracing
from kit.server import Server, end_with_parent, require_free
from kit.settings import ConfigurationError, TracingSettings
from kit.traced_asgi import traced
from translator.app import create_app
from translator.settings import TranslatorSettings

logger = logging.getLogger("translator")

_STOP_SECONDS = 15
_LEVELS = {"translator": "INFO", "elastic_transport": "ERROR"}


def serve() -> int:
    """Serve in the foreground until SIGTERM or SIGINT.

    Returns:
        The exit status.

    Raises:
        ConfigurationError: a setting is missing or bad, or the port is taken.
    """
    settings = TranslatorSettings.load()
    # The worker reads these too, but a bad one has to stop the start-up here.
    ElasticsearchSettings.load()
    TracingSettings.load()
    log_configuration = logs.configuration("translator", settings.log_format, _LEVELS)
    logging.config.dictConfig(log_configuration)
    logs.take_over()
    try:
        require_free(settings.host, settings.port)
    except OSError as error:
        raise ConfigurationError(
            f"TRANSLATOR_HOST, TRANSLATOR_PORT: cannot serve on {settings.host}:{settings.port}: {error.strerror}"
        ) from None
    server = Server(
        "translator.app:create_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=1,
        # Its answers take no longer than handing them from one thread to another.
        runtime_mode=RuntimeModes.st,
        workers_kill_timeout=_STOP_SECONDS,
        log_dictconfig=log_configuration,
    )
    logger.info("serving on http://%s:%s", settings.host, settings.port)
    server.serve(target_loader=_load, wrap_loader=False)
    logger.info("stopped")
    return 0


def _load() -> Any:
    """Make the application in the worker process, and see to it that the worker ends when its parent is killed."""
    tracing.set_up("translator", TracingSettings.load())
    end_with_parent()
    app = create_app()
    # Objects loaded at the start stay; the collector need not walk through them every few requests.
    gc.collect()
    gc.freeze()
    return traced(app) if tracing.is_on() else app
