"""Lines of the log: what they show, and what they never do."""

import io
import logging
import logging.config
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import orjson
import pytest
from opentelemetry.context import attach, detach

from kit.logs import ConsoleFormatter, EcsFormatter, LogFormat, OncePerInterval, configuration
from kit.tracing import read_traceparent
from tests.support.logging_state import logging_restored

TRACE = "0af7651916cd43dd8448eb211c80319c"
FORMATTERS = [ConsoleFormatter(), EcsFormatter("service")]


def _line(text: str, created: float) -> logging.LogRecord:
    record = logging.makeLogRecord({"msg": text})
    record.created = created
    return record


def _failed(text: str = "needle") -> logging.LogRecord:
    try:
        raise ValueError(text)
    except ValueError:
        return logging.makeLogRecord({"msg": "it failed", "exc_info": sys.exc_info()})


def test_a_repeated_line_passes_once_in_half_a_minute_and_another_kind_at_once() -> None:
    once = OncePerInterval()
    assert once.filter(_line("FAIL [thrd:1] refused (after 0ms)", 1000.0))
    assert not once.filter(_line("FAIL [thrd:2] refused (after 1ms)", 1029.9))
    assert once.filter(_line("GETPID coordinator load", 1001.0))
    assert once.filter(_line("FAIL [thrd:1] refused", 1030.0))


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize(
    "text",
    [
        "sent Authorization: Bearer n-e_e.d/l+e=",
        "{'authorization': 'Octoxlabs bmVlZGxl'}",
        "basic bmVlZGxl refused",
        "token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJuZWVkbGUifQ.c2ln-bmF0dXJl",
        "key sluice_0123456789abcdef_needle-needle",
        "connecting to redis://user:needle@redis:6379/0",
    ],
)
def test_credentials_are_masked_whoever_writes_them(text: str, formatter: logging.Formatter) -> None:
    shown = formatter.format(logging.makeLogRecord({"msg": "%s", "args": (text,)}))
    assert "[masked]" in shown
    for secret in ("n-e_e.d", "bmVlZGxl", "eyJzdWI", "needle"):
        assert secret not in shown


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_an_exception_is_its_type_and_place_without_its_text(formatter: logging.Formatter) -> None:
    shown = formatter.format(_failed())
    assert "ValueError" in shown
    assert "in _failed" in shown
    assert "needle" not in shown


def test_for_machines_an_exception_is_in_the_fields_of_the_schema() -> None:
    error = orjson.loads(FORMATTERS[1].format(_failed()))["error"]
    assert (error["type"], error["message"]) == ("ValueError", "its text is not logged")
    assert "in _failed" in error["stack_trace"]


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_of_the_operating_systems_exceptions_the_log_has_its_own_words(formatter: logging.Formatter) -> None:
    with pytest.raises(OSError) as failed:
        Path("/needle/needle").touch()
    info = (failed.type, failed.value, failed.tb)
    shown = formatter.format(logging.makeLogRecord({"msg": "it failed", "exc_info": info}))
    assert "FileNotFoundError" in shown
    assert "No such file or directory" in shown
    assert "'/needle" not in shown


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_attributes_that_a_library_hangs_on_a_line_are_not_shown(formatter: logging.Formatter) -> None:
    record = logging.makeLogRecord({"msg": "refused", "request": "GET /search?q=needle", "status_code": 400})
    assert "needle" not in formatter.format(record)


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("asyncio", "Task exception was never retrieved\nfuture: <Task exception=ValueError('needle')>"),
        ("_granian.utils", "Application callable raised an exception\nTraceback…\nValueError: needle"),
    ],
)
def test_a_message_that_quotes_an_exception_is_cut_short(name: str, text: str, formatter: logging.Formatter) -> None:
    shown = formatter.format(logging.makeLogRecord({"name": name, "msg": text}))
    assert "exception" in shown
    assert "needle" not in shown


def test_a_line_has_the_trace_that_is_current() -> None:
    assert "trace" not in orjson.loads(FORMATTERS[1].format(_line("before", 0.0)))
    token = attach(read_traceparent(f"00-{TRACE}-b7ad6b7169203331-01"))
    try:
        line = orjson.loads(FORMATTERS[1].format(_line("within", 0.0)))
    finally:
        detach(token)
    assert (line["trace"]["id"], line["span"]["id"]) == (TRACE, "b7ad6b7169203331")


def test_a_record_that_was_formatted_is_still_as_it_was() -> None:
    record = _failed()
    FORMATTERS[0].format(record)
    assert record.exc_text is None


_PROGRAM = """
import logging.config, threading, warnings
from kit.logs import LogFormat, configuration, take_over

def fail(text):
    raise ValueError(text)

logging.config.dictConfig(configuration("service", LogFormat.ECS, {}))
take_over()
warnings.warn("a warning")
logging.error("%d", "nee" + "dle")
thread = threading.Thread(target=fail, args=["nee" + "dle"])
thread.start()
thread.join()
fail("nee" + "dle")
"""


def test_output_of_python_itself_is_a_line_like_any_other() -> None:
    ended = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "needle" not in ended.stderr
    warning, *uncaught = [orjson.loads(line) for line in ended.stderr.splitlines()]
    assert "UserWarning: a warning" in warning["message"]
    assert [line["message"] for line in uncaught] == ["uncaught ValueError"] * 2
    assert {line["error"]["type"] for line in uncaught} == {"ValueError"}


def test_logging_that_a_test_configures_ends_with_it() -> None:
    root, quiet = logging.getLogger(), logging.getLogger("elastic_transport")
    before = [*root.handlers], root.level, quiet.level
    with logging_restored():
        with redirect_stderr(io.StringIO()) as stream:
            logging.config.dictConfig(configuration("service", LogFormat.CONSOLE, {"elastic_transport": "DEBUG"}))
            logging.getLogger("elastic_transport").warning("written there")
        assert "written there" in stream.getvalue()
        stream.close()
    assert ([*root.handlers], root.level, quiet.level) == before
