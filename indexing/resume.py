"""Offset at which reading of a partition begins: where it ended, or elsewhere with a warning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    """An offset to read from, and what an operator must hear about it, if anything."""

    offset: int
    warning: str | None = None


def starting_offset(committed: int | None, same_topic: bool, low: int, high: int) -> Start:
    """Decide where to begin.

    Reading something twice is harmless, because a repeated operation changes nothing; skipping is not. So every doubt
    is settled by going back to the earliest record that is left.

    Args:
        committed: the group's committed offset; None if it has none.
        same_topic: False if that offset belongs to an earlier topic of the same name.
        low: the earliest offset that is left.
        high: the offset that the next record will get.
    """
    if committed is None:
        return Start(low)
    if not same_topic:
        return Start(low, f"the topic was deleted and made again; reading all of it, from offset {low}")
    if committed < low:
        gap = f"offsets {committed} to {low - 1} ({low - committed} at most) are gone unread"
        return Start(low, f"{gap}: the topic's retention is shorter than the consumer was behind; going on at {low}")
    if committed > high:
        lost = f"the group had read up to {committed}, and the partition ends at {high}: the broker lost records"
        return Start(low, f"{lost}; reading all that is left, from offset {low}")
    return Start(committed)
