"""Suggestions for the name of a field that does not exist: the fields that were perhaps meant, the likeliest first.

Each field gets a rank for the way in which it fits; among equals the shortest path is first:

0. the name without a sub-field that it ends with: ``Hostname.keyword`` → ``Hostname``
1. the end of the path fits exactly, letter case, ``@``, ``_``, ``-`` and such a sub-field aside: ``agent.id`` →
   ``wazuh.agent.id``
2. its last two parts do: ``server.os.type`` → ``host.os.type``
3. one letter differs: ``Hostnme`` → ``Hostname``
4. the path, or the end of it, begins with the name: ``Host`` → ``Hostname``
5. the last part alone fits, the others as well as may be: ``src.ip`` → ``source.ip``
6. a few letters differ, in the whole path or in its last part
"""

import re
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

MAX_SUGGESTIONS = 3
_LONGEST_NAME = 256
"""Longer names are compared with no other: they resemble none."""
_SUB_FIELDS = frozenset(("keyword", "raw", "text", "exact", "lowercase", "caseless", "value"))
_IGNORED = re.compile("[@_-]")
_SHORTEST_BEGINNING = 2
_SHORTEST_TYPO = 4


def suggest(name: str, scope: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Find up to three names close to one that does not exist, the closest first.

    Args:
        name: as it was written.
        scope: path of the nested object that it is relative to, with a dot at its end; empty at the top.
        paths: all fields of the catalogue.
    """
    if len(name) > _LONGEST_NAME:
        return ()
    choices = {path[len(scope) :]: None for path in paths if path.startswith(scope)}
    if scope and (inner := name.removeprefix(scope)) != name and inner in choices:
        return (inner,)
    ranks = _fits(name, choices)
    for choice, rank in _resemblances(name, choices):
        ranks[choice] = min(rank, ranks.get(choice, rank))
    closest = sorted(ranks, key=lambda choice: (ranks[choice], choice.count("."), len(choice), choice))
    return tuple(closest[:MAX_SUGGESTIONS])


def _plain(name: str) -> str:
    return _IGNORED.sub("", name).casefold()


def _fits(name: str, choices: Iterable[str]) -> dict[str, tuple[int, float]]:
    """Ranks of the choices of which a part fits exactly."""
    wanted = _plain(name)
    parts = wanted.split(".")
    end = f".{wanted}"
    last_two = "." + ".".join(parts[-2:])
    last = f".{parts[-1]}"
    # `Hostname.keyword` was learnt elsewhere: here a comparison chooses the sub-field by itself.
    without = ".".join(parts[:-1]) if parts[-1] in _SUB_FIELDS else ""
    ranks: dict[str, tuple[int, float]] = {}
    for choice in choices:
        plain = f".{_plain(choice)}"
        if without and plain == f".{without}":
            ranks[choice] = (0, 0)
        elif plain.endswith(end) or (without and plain.endswith(f".{without}")):
            ranks[choice] = (1, 0)
        elif len(parts) > 1 and plain.endswith(last_two):
            ranks[choice] = (2, 0)
        elif len(wanted) > _SHORTEST_BEGINNING and (plain.startswith(end) or plain.rfind(end) == plain.rfind(".") >= 0):
            ranks[choice] = (4, 0)
        elif len(parts) > 1 and plain.endswith(last):
            ranks[choice] = (5, OSA.distance(wanted, plain[1:]))
    return ranks


def _resemblances(name: str, choices: Iterable[str]) -> Iterable[tuple[str, tuple[int, float]]]:
    """Ranks of the choices that differ in a few letters."""
    wanted = name.casefold()
    whole = {choice: choice.casefold() for choice in choices}
    # A name may also lack the objects above it: Type for OS.Type.
    tails = {choice: folded.rpartition(".")[2] for choice, folded in whole.items()}
    limit = max(1, len(name) // 3)
    for spelled, extra in ((whole, 0.0), (tails, 0.5)):
        found = process.extract(wanted, spelled, scorer=OSA.distance, score_cutoff=limit, limit=MAX_SUGGESTIONS)
        for _, distance, choice in found:
            is_typo = distance <= 1 and len(wanted) >= _SHORTEST_TYPO
            yield choice, (3 if is_typo else 6, distance + extra)
