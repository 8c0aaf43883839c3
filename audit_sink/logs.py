"""Logging to the console: one line a fact, and no floods from librdkafka."""

import logging
import sys
import time

LIBRDKAFKA = logging.getLogger("audit_sink.librdkafka")
"""The logger to give to every Kafka client."""

_QUIET_SECONDS = 60.0


class _FirstOfAKind(logging.Filter):  # pylint: disable=too-few-public-methods  # as logging wants it
    """Passes one message of a kind a minute: librdkafka repeats a refused connect many times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; librdkafka's kind of message is the first argument of its format."""
        kind = record.args[0] if isinstance(record.args, tuple) and record.args else record.msg
        now = time.monotonic()
        if now < self._quiet_until.get(kind, 0.0):
            return False
        self._quiet_until[kind] = now + _QUIET_SECONDS
        return True


def configure() -> None:
    """Log to stderr from level INFO on; from other libraries, and of librdkafka, only warnings."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    logging.getLogger("audit_sink").setLevel(logging.INFO)
    # It warns of every request that fails; the sink says once what that means.
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    LIBRDKAFKA.setLevel(logging.WARNING)
    LIBRDKAFKA.addFilter(_FirstOfAKind())
