"""Log of the audit sink, on stderr."""

import logging
import logging.config

from kit.logs import LogFormat, configuration


def configure(log_format: LogFormat = LogFormat.CONSOLE) -> None:
    """Log from level INFO on; from other libraries, and of librdkafka, only warnings."""
    levels = {
        "audit_sink": "INFO",
        "indexing": "INFO",
        "librdkafka": "WARNING",
        # It warns of every request that fails; the sink says once what that means.
        "elastic_transport": "ERROR",
    }
    logging.config.dictConfig(configuration("audit_sink", log_format, levels))
