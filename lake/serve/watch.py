"""Check of the account once an hour, beside the writer: a metric, and so an alert, of what is lost or doubled."""

import logging
import threading
from collections.abc import Callable

import duckdb

from lake.account import account
from lake.errors import one_line
from lake.metrics import ACCOUNT_CHECKED, ACCOUNT_DIFFERENCE
from lake.serve.loop import STORAGE_ERRORS
from lake.tables import Lake

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 3600.0
_MEMORY_LIMIT = "128MiB"


def watch_account(lake: Lake, is_mine: Callable[[], bool], every: float = _EVERY_SECONDS) -> None:
    """Check the account in a thread of its own until the process ends; `reconcile` looks closer.

    Args:
        lake: the tables.
        is_mine: whether it is this writer, of several, that checks now.
        every: seconds between two checks.
    """

    def work() -> None:
        while True:
            threading.Event().wait(every)
            if is_mine():
                check_account(lake)

    threading.Thread(target=work, name="account", daemon=True).start()


def check_account(lake: Lake) -> None:
    """Check the account once, and set its metrics; where the tables cannot be read they stay as they are."""
    try:
        differences = [abs(each.difference) for each in account(lake, is_thorough=False, memory_limit=_MEMORY_LIMIT)]
    except (*STORAGE_ERRORS, duckdb.Error) as error:
        logger.warning("the account cannot be checked: %s", one_line(error))
        return
    ACCOUNT_DIFFERENCE.set(sum(differences))
    ACCOUNT_CHECKED.set_to_current_time()
    if any(differences):
        logger.error("the account does not close by %d offsets: see python -m lake reconcile", sum(differences))
