"""The configuration of logging, which is the process's: what a test changes of it must not reach another test."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def logging_restored() -> Iterator[None]:
    """Restore every logger's handlers, filters and level afterwards.

    A command that is called in a test configures logging with that test's standard error, which is closed at its end.
    """
    before = {logger: _state(logger) for logger in _loggers()}
    try:
        yield
    finally:
        for logger in _loggers():
            if logger in before:
                logger.level, logger.handlers, logger.filters, logger.propagate, logger.disabled = before[logger]
            else:  # Its filters may have come with the import of its module.
                logger.level = logging.NOTSET
                logger.handlers = [each for each in logger.handlers if not isinstance(each, logging.StreamHandler)]
        logging.getLogger().setLevel(logging.getLogger().level)  # which forgets what loggers found out of their levels


def _loggers() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict.values()
    return [logging.getLogger(), *(each for each in known if isinstance(each, logging.Logger))]


def _state(logger: logging.Logger) -> tuple[int, list[logging.Handler], list[Any], bool, bool]:
    return logger.level, [*logger.handlers], [*logger.filters], logger.propagate, logger.disabled
