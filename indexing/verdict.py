"""Judges the answer to a bulk request: what is done, what is tried again, what becomes a dead letter."""

from dataclasses import dataclass
from typing import Any

from indexing.batch import DeadLetter, Write
from indexing.breaker import DeadLetterBreaker
from indexing.outcomes import Outcome, classify_item, describe

Item = tuple[int, dict[str, Any] | None]
"""An item of a bulk answer: its status and its error, where there is one."""

CREATED: Item = (201, None)
"""What nearly every item is; the same object for all of them, so that they are told from the others at once."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a write's events.

    Attributes:
        indexed: events that are documents now.
        duplicates: events that were documents already.
        letters: dead letters to send.
        retry: the events to try again, if any.
        cause: why they are tried again, fit for a metric's label.
        stall: what a person has to mend before they can succeed; None for what passes by itself.
    """

    indexed: int
    duplicates: int
    letters: list[DeadLetter]
    retry: Write | None = None
    cause: str | None = None
    stall: str | None = None


def judge(  # pylint: disable=too-many-locals  # a tally: one for each way to end
    write: Write, items: list[Item], breaker: DeadLetterBreaker
) -> Verdict:
    """Sort a write's events by their items in the answer.

    Args:
        write: what was sent.
        items: the answer's items, one for each of the write's events, in order.
        breaker: has the last word on dead letters; while it refuses them they are tried again.
    """
    indexed, duplicates = items.count(CREATED), 0
    again: list[int] = []
    poison: list[tuple[int, DeadLetter]] = []
    cause: str | None = None
    stall: str | None = None
    for position, item in enumerate(items):
        if item == CREATED:
            continue
        status, error = item
        outcome = classify_item(status, error)
        if outcome is Outcome.INDEXED:
            indexed += 1
        elif outcome is Outcome.DUPLICATE:
            duplicates += 1
        elif outcome is Outcome.POISON:
            reason = "too_large" if status == 413 else "refused_by_mapping"
            poison.append((position, DeadLetter(write.records[position], reason, describe(error))))
        else:
            again.append(position)
            if outcome is Outcome.STALL:
                cause, stall = "blocked", describe(error)
            elif stall is None:
                cause = "throttled" if status == 429 else "unavailable"

    letters = write.letters + [letter for _, letter in poison]
    undecided: list[DeadLetter] = []
    if not breaker.admits(len(letters), indexed + duplicates):
        cause = "dead_letter_breaker"
        stall = (
            f"{len(letters)} of {len(items) + len(write.letters)} events would become dead letters, the first for "
            f"{letters[0].summary}; is this the right version, with the right index template?"
        )
        again = sorted(again + [position for position, _ in poison])
        letters, undecided = [], write.letters
    retry = write.part(again, undecided) if again or undecided else None
    return Verdict(indexed, duplicates, letters, retry, cause, stall)
