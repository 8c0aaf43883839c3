"""Logging to stderr: one line a fact, and no floods from librdkafka."""

import logging
import sys
import time
from enum import StrEnum

import ecs_logging

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


class LogFormat(StrEnum):
    """How a line looks: for people, or JSON in the Elastic Common Schema for machines."""

    CONSOLE = "console"
    ECS = "ecs"


def configure(log_format: LogFormat = LogFormat.CONSOLE) -> None:
    """Log to stderr from level INFO on; from other libraries, and of librdkafka, only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ecs_logging.StdlibFormatter(extra={"service.name": "audit_sink"})
        if log_format is LogFormat.ECS
        else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("audit_sink").setLevel(logging.INFO)
    # It warns of every request that fails; the sink says once what that means.
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    LIBRDKAFKA.setLevel(logging.WARNING)
    LIBRDKAFKA.filters = [_FirstOfAKind()]
