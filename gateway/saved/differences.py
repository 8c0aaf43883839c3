"""Sets of documents as a watch keeps them: eight bytes of a hash for each id; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

_BYTES = 8
"""64 bits: two of as many documents as a search can find have one hash practically never."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Documents that a search finds anew, and how many it finds no longer."""

    new: list[str]
    gone: int

    def __bool__(self) -> bool:
        return bool(self.new) or self.gone > 0


def digest(document_id: str) -> bytes:
    """The hash of a document's id."""
    return blake2b(document_id.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


def pack(ids: Iterable[str]) -> bytes:
    """The hashes of ids, sorted, so that one set has one form."""
    return b"".join(sorted({digest(each) for each in ids}))


def compare(before: bytes, ids: Iterable[str]) -> Difference:
    """Compare what was found before with what is found now.

    Args:
        before: as ``pack`` has written it.
        ids: of the documents that are found now.
    """
    known = {bytes(before[start : start + _BYTES]) for start in range(0, len(before), _BYTES)}
    now = {digest(each): each for each in ids}
    return Difference(sorted(now[each] for each in now.keys() - known), len(known - now.keys()))
