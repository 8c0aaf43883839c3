"""Log of a consumer, on stderr."""

import logging
import logging.config

from kit.logs import LogFormat, configuration


def configure(package: str, log_format: LogFormat = LogFormat.CONSOLE) -> None:
    """Log from level INFO on; from other libraries, and of librdkafka, only warnings.

    Args:
        package: the consumer's own, which names its service too.
        log_format: how a line looks.
    """
    levels = {
        package: "INFO",
        "indexing": "INFO",
        "librdkafka": "WARNING",
        # It warns of every request that fails; the consumer says once what that means.
        "elastic_transport": "ERROR",
    }
    logging.config.dictConfig(configuration(package, log_format, levels))
