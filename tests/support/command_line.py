"""A command line run in this process, since a process of its own takes a second or two to start."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from subprocess import CompletedProcess
from unittest.mock import patch


def run_here(
    main: Callable[[Sequence[str]], int],
    *arguments: str | bytes,
    standard_input: bytes = b"",
    variables: Mapping[str, str] | None = None,
) -> CompletedProcess[bytes]:
    """Run a package's ``main`` as ``python -m PACKAGE ARGUMENTS`` does; from one thread at a time.

    The streams and the environment are the process's.

    Args:
        main: takes the arguments and returns the exit status.
        arguments: bytes become text as those of a process do.
        standard_input: what it can read.
        variables: of the environment, beside those that there are.

    Returns:
        The exit status, and what it wrote on both streams.
    """
    decoded = [os.fsdecode(argument) for argument in arguments]
    # As of a process whose output is no terminal.
    streams = [TextIOWrapper(BytesIO(content), encoding="utf-8") for content in (standard_input, b"", b"")]
    given, out, err = streams
    with (
        patch.dict(os.environ, variables or {}),
        patch.object(sys, "stdin", given),
        _without_logs_of_others(),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            status = main(decoded)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    written = []
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
        written.append(stream.buffer.read())
    return CompletedProcess(decoded, status, *written)


def _without_logs_of_others() -> AbstractContextManager[object]:
    """Drop what threads log that run already: those of a Kafka client of another test, say, which has no broker."""
    others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    handle = logging.Logger.handle

    def handle_own(logger: logging.Logger, record: logging.LogRecord) -> None:
        if record.thread not in others:
            handle(logger, record)

    return patch.object(logging.Logger, "handle", handle_own)
