"""Logging to stderr: one line a fact, and no floods from librdkafka."""

import logging
import logging.config

from kit import logs
from kit.logs import LogFormat, OncePerInterval

LIBRDKAFKA = logging.getLogger("audit_sink.librdkafka")
"""The logger to give to every Kafka client."""
LIBRDKAFKA.addFilter(OncePerInterval())


def configure(log_format: LogFormat = LogFormat.CONSOLE) -> None:
    """Log to stderr from level INFO on; from other libraries, and of librdkafka, only warnings."""
    levels = {
        "audit_sink": "INFO",
        "audit_sink.librdkafka": "WARNING",
        # It warns of every request that fails; the sink says once what that means.
        "elastic_transport": "ERROR",
    }
    logging.config.dictConfig(logs.configuration("audit_sink", log_format, levels))
