"""What a log line shows, and what it never does."""

import logging

from elastic.logs import OncePerInterval


def _line(text: str, created: float) -> logging.LogRecord:
    record = logging.makeLogRecord({"msg": text})
    record.created = created
    return record


def test_a_repeated_line_passes_once_in_half_a_minute_and_another_kind_at_once() -> None:
    once = OncePerInterval()
    assert once.filter(_line("FAIL [thrd:1] refused (after 0ms)", 1000.0))
    assert not once.filter(_line("FAIL [thrd:2] refused (after 1ms)", 1029.9))
    assert once.filter(_line("GETPID coordinator load", 1001.0))
    assert once.filter(_line("FAIL [thrd:1] refused", 1030.0))
