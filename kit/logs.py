"""Log of a service: lines on stderr, for people or for machines, without personal data or credentials.

Secrets and personal data are left out where a line is written. Lines of other libraries are masked here, as far as the
form of a credential is known. Of an exception only type and place are kept: its text may quote a query.
"""

import logging
import logging.config
import re
import sys
import threading
from collections.abc import Mapping
from enum import StrEnum
from traceback import format_tb
from types import TracebackType
from typing import Any

import ecs_logging
from opentelemetry import trace
from opentelemetry.trace import format_span_id, format_trace_id

logger = logging.getLogger(__name__)

_REPEAT_SECONDS = 30.0
_CREDENTIALS = re.compile(
    r"""
      \b(?:Octoxlabs|Bearer|Basic|ApiKey)\s+[^\s"',;]+          # of a header
    | \beyJ[\w-]*\.[\w-]+(?:\.[\w-]*)?                          # a JWT
    | \bsluice_[0-9a-f]{16}_[\w-]+                              # an API key
    | (?<=://)[^\s/@:]*:[^\s/@]*(?=@)                           # in a URL
    """,
    re.VERBOSE | re.IGNORECASE,
)
_QUOTING = ("asyncio", "_granian")
"""Loggers that write the text of an exception into the message, from its second line on."""
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class LogFormat(StrEnum):
    """Format of log lines: for people, or JSON in the Elastic Common Schema for machines."""

    CONSOLE = "console"
    ECS = "ecs"


class OncePerInterval(logging.Filter):  # pylint: disable=too-few-public-methods  # as the standard library has it
    """Passes one line of each kind (its first word) in ``_REPEAT_SECONDS``.

    While the broker is away, librdkafka would say so twenty times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is the first of its kind for a while."""
        kind = record.getMessage().partition(" ")[0]
        if record.created - self._passed.get(kind, 0.0) < _REPEAT_SECONDS:
            return False
        self._passed[kind] = record.created
        return True


def _clean(record: logging.LogRecord) -> logging.LogRecord:
    """A copy of a record that holds its message, masked, and nothing that a library has hung on it."""
    clean = logging.makeLogRecord({name: value for name, value in vars(record).items() if name in _STANDARD})
    message = record.getMessage()
    if str(record.name).startswith(_QUOTING):
        message = message.partition("\n")[0]
    clean.msg, clean.args, clean.exc_text = _CREDENTIALS.sub("[masked]", message), None, None
    return clean


def describe(error: BaseException) -> str:
    """An exception's type, and a reason that quotes nothing."""
    return f"{error.__class__.__name__}: {_reason(error)}"


def _reason(error: BaseException | None) -> str:
    """Describe an exception without its text, except the operating system's."""
    return (isinstance(error, OSError) and error.strerror) or "its text is not logged"


class ConsoleFormatter(logging.Formatter):
    """A line for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Write a record down."""
        return super().format(_clean(record))

    def formatException(self, ei: Any) -> str:
        """Say where an exception came from, its type, and a reason that quotes nothing."""
        _, error, traceback = ei
        return f"{''.join(format_tb(traceback))}{describe(error)}"


class EcsFormatter(ecs_logging.StdlibFormatter):
    """A JSON object in the Elastic Common Schema, with the trace that the line belongs to."""

    def __init__(self, service: str) -> None:
        super().__init__(extra={"service.name": service}, exclude_fields=["error.message", "log.original"])

    def format_to_ecs(self, record: logging.LogRecord) -> dict[str, Any]:
        """Make the object of a record."""
        clean = _clean(record)
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            vars(clean).update({"trace.id": format_trace_id(span.trace_id), "span.id": format_span_id(span.span_id)})
        line = super().format_to_ecs(clean)
        if clean.exc_info and "error" in line:
            line["error"]["message"] = _reason(clean.exc_info[1])
        return line


def configuration(service: str, log_format: LogFormat, levels: Mapping[str, str]) -> dict[str, Any]:
    """Return a configuration for ``logging.config.dictConfig``.

    Args:
        service: its name in the lines for machines.
        log_format: how a line looks.
        levels: of loggers, by their names; WARNING for all others.
    """
    formatter = {"()": EcsFormatter, "service": service} if log_format is LogFormat.ECS else {"()": ConsoleFormatter}
    handler = {"class": "logging.StreamHandler", "formatter": "line"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"once": {"()": OncePerInterval}},
        "formatters": {"line": formatter},
        "handlers": {"stderr": handler, "once": handler | {"filters": ["once"]}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            # While the collector is away, it would be said of every export.
            "opentelemetry": {"handlers": ["once"], "propagate": False},
            **{name: {"level": level} for name, level in levels.items()},
        },
    }


def take_over() -> None:
    """Let what Python itself writes to stderr go through the log: warnings, and what ends the process or a thread."""
    # A line that cannot be formatted would be shown with its arguments.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    if error is not None:
        logger.critical("uncaught %s", kind.__name__, exc_info=(kind, error, traceback))
