"""Cache of the translator's catalogues of fields, so that a search need not ask for them.

Why: the catalogue knows which names in ``sort`` and ``fields`` exist and can be sorted by. Elasticsearch's field
capabilities cost a request a search, leave out objects that are not indexed, and call types sortable that are not.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from gateway import translator
from gateway.catalogue import Catalogue
from gateway.correlation import Correlation
from gateway.problems import RejectedQuery

KEEP_SECONDS = 30.0
"""As long as the translator itself keeps a mapping by default."""

_Answer = TypeVar("_Answer")

# By index; names in it have passed the access rules, so there are few.
_kept: dict[str, tuple[float, Catalogue]] = {}


def look_up(index: str, ask: Callable[[Catalogue], _Answer], correlation: Correlation) -> _Answer:
    """Ask an index's catalogue; a name is called unknown only after a fresh look at the mapping.

    Args:
        index: an index, an alias or a pattern that the caller may search.
        ask: what to ask; called a second time with a fresh catalogue if it finds a name unknown.
        correlation: the request that it is asked for.

    Raises:
        RejectedQuery: a name is unknown.
        Problem, Unavailable: as ``translator.fields`` raises them, or ``ask`` does.
    """
    kept = _kept.get(index)
    if kept is not None and time.monotonic() - kept[0] < KEEP_SECONDS:
        try:
            return ask(kept[1])
        except RejectedQuery:
            pass
    return ask(_read(index, correlation))


def _read(index: str, correlation: Correlation) -> Catalogue:
    catalogue = Catalogue(translator.fields(index, fresh=True, correlation=correlation)["fields"])
    _kept[index] = time.monotonic(), catalogue
    return catalogue
