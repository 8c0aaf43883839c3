"""Outcomes of operations, read from Elasticsearch's answers; other modules act on them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """Outcome of one operation, or of a whole bulk request."""

    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    """An earlier try, or a later version, was there before it: a success."""

    RETRY = "retry"
    """Passing; the same again after a while."""

    STALL = "stall"
    """Nothing is wrong with the record and only a person can mend it: the same again, and say so."""

    POISON = "poison"
    """No try will ever succeed: a dead letter."""

    SPLIT = "split"
    """The request as a whole is too large."""


# By type, whatever the status: flood stage is a 429 and read-only a 403, and neither is about load or permission. The
# others are a 400 as if the document were at fault, yet every document gets it: too many shards, a closed index.
_STALLING_TYPES = frozenset(
    {"cluster_block_exception", "validation_exception", "index_closed_exception", "invalid_index_name_exception"}
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A bulk request without a usable answer.

    Attributes:
        outcome: RETRY, STALL or SPLIT.
        cause: a short name, fit for a metric's label.
        detail: a sentence for the log.
    """

    outcome: Outcome
    cause: str
    detail: str


def classify_item(status: int, error: dict[str, Any] | None) -> Outcome:
    """Say what an item of a bulk answer means.

    Args:
        status: the item's own HTTP status.
        error: its ``error`` object, where there is one.
    """
    if status in (200, 201):
        return Outcome.INDEXED
    if status == 404 and error is None:
        return Outcome.INDEXED  # the document to delete is not there, as wanted
    if status == 409:
        return Outcome.DUPLICATE
    if error is not None and error.get("type") in _STALLING_TYPES:
        return Outcome.STALL
    if status == 429 or status >= 500:
        return Outcome.RETRY
    return Outcome.POISON if status in (400, 413) else Outcome.STALL


def classify_status(status: int, error_type: str | None) -> Failure:
    """Say what an error for a whole bulk request means; it never condemns the records in it.

    Args:
        status: the HTTP status of the answer.
        error_type: ``error.type`` of its body, where there is one.
    """
    detail = f"HTTP {status}" + (f", {error_type}" if error_type else "")
    if error_type in _STALLING_TYPES:
        return Failure(Outcome.STALL, "blocked", detail)
    if status == 413:
        return Failure(Outcome.SPLIT, "too_large", detail)
    if status in (401, 403):
        return Failure(Outcome.STALL, "forbidden", detail)
    if status == 429:
        return Failure(Outcome.RETRY, "throttled", detail)
    if status in (408, 502, 503, 504):
        return Failure(Outcome.RETRY, "unavailable", detail)
    return Failure(Outcome.RETRY if status >= 500 else Outcome.STALL, "refused", detail)


def describe(error: dict[str, Any] | None) -> str:
    """One line of an item's error for a log or a dead letter: its type, its reason and the first cause of it."""
    if error is None:
        return "no reason given"
    caused_by = error.get("caused_by")
    text = f"{error.get('type')}: {error.get('reason')}"
    if isinstance(caused_by, dict):
        text += f" ({caused_by.get('type')}: {caused_by.get('reason')})"
    return text[:1000]
