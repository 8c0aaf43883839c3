"""Verdict on a bulk request: operations that are done, are tried again, or become dead letters."""

from dataclasses import dataclass
from typing import Any

from indexing.batch import DeadLetter, Write, place_of
from indexing.breaker import DeadLetterBreaker
from indexing.outcomes import Outcome, classify_item, describe

Item = tuple[int, dict[str, Any] | None]
"""An item of a bulk answer: its status and its error, where there is one."""

DONE: Item = (201, None)
"""Item of an operation that was done: nearly every one, and one object for all, so that they are told at once."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on a write's operations.

    Attributes:
        indexed: operations that were done.
        duplicates: operations that an earlier try, or a later version of the document, had done already.
        letters: dead letters to send.
        retry: the operations to try again, if any.
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
    """Sort a write's operations by their items in the answer.

    Args:
        write: what was sent.
        items: the answer's items, one for each of the write's operations, in order.
        breaker: has the last word on dead letters; while it refuses them they are tried again.
    """
    indexed, duplicates = items.count(DONE), 0
    again: list[int] = []
    poison: list[tuple[int, DeadLetter]] = []
    cause: str | None = None
    stall: str | None = None
    for position, item in enumerate(items):
        if item == DONE:
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

    # A record of which several operations are refused is one dead letter, in however many tries and parts.
    refused = {place_of(letter.record): letter for _, letter in poison}
    letters = write.letters + [letter for place, letter in refused.items() if place not in write.batch.refused]
    undecided: list[DeadLetter] = []
    if not breaker.admits(len(letters), indexed + duplicates):
        cause = "dead_letter_breaker"
        records = len(write.letters) + len({place_of(record) for record in write.records})
        stall = (
            f"{len(letters)} of {records} records would become dead letters, the first for "
            f"{letters[0].summary}; is this the right version, with the right index template?"
        )
        again = sorted(again + [position for position, _ in poison])
        letters, undecided = [], write.letters
    else:
        write.batch.refused.update(refused)
    retry = write.part(again, undecided) if again or undecided else None
    return Verdict(indexed, duplicates, letters, retry, cause, stall)
