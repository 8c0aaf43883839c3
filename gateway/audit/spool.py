"""Events on this machine's disk while Kafka cannot take them: ordered, bounded, and safe from a crash.

GATEWAY_SPOOL_DIR/
    000/                    one worker process's, by its lock
        lock
        0000000002.spool    segments: written to the end, sent from the oldest on, removed when Kafka has them
        0000000003.spool
        0000000001.lost     a segment that cannot be read
        refused             events that Kafka refuses for good, in the form of a segment
        trial               nothing: whether the disk takes events again

Why: a worker takes the first unlocked folder, with what is in it, so each folder stays within GATEWAY_SPOOL_BYTES and
their number within that of the processes. Folders numbered GATEWAY_WORKERS and above have no next owner; the first
worker to start sends them too. One bound for all workers would need a lock between processes on every event.
"""

import fcntl
import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Self

from gateway.audit.spool_format import MAX_FRAME_BYTES, Contents, Record, frame, unframe

SEGMENT_BYTES = 1024 * 1024
"""A segment that has reached this size is sealed. At most one segment is sent again after a crash."""

_SUFFIX = ".spool"
_LOST_SUFFIX = ".lost"
_REFUSED = "refused"
_TRIAL = "trial"
_NUMBERED = "[0-9]" * 10 + ".*"
_PATTERN = "[0-9]" * 10 + _SUFFIX
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700


class SpoolFull(Exception):
    """The spool has no room for one more event."""


@dataclass(slots=True)
class Segment:
    """One file of the spool, and what of it is on the disk for certain."""

    path: Path
    bytes: int
    records: int


@dataclass(slots=True, eq=False)
class _Batch:
    """Events that share one fsync."""

    frames: list[bytes] = field(default_factory=list)
    done: bool = False
    error: OSError | None = None


class Spool:  # pylint: disable=too-many-instance-attributes  # one object, because one lock guards them
    """The spool of one worker process. Threads may append at once; one thread reads and removes.

    Args:
        folder: this process's own; it has the lock.
        left: segments of processes that are gone, oldest first.
        locks: file descriptors that hold the folders until the process ends.
        limit: bytes that the events in ``folder`` may have together; what was left in other folders has had its own.
    """

    def __init__(self, folder: Path, left: list[Segment], locks: list[int], limit: int) -> None:
        self._folder = folder
        self._locks = locks
        self._limit = limit
        # After all that are there, also those that could not be read: no file takes the place of another.
        self._numbers = count(1 + max((int(path.stem) for path in folder.glob(_NUMBERED)), default=0))
        self._sealed = deque(left)
        self._written: Segment | None = None
        self._file = -1
        self._reserved = sum(segment.bytes for segment in left if self._is_own(segment))
        self._next = _Batch()
        self._refusing = False
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    @classmethod
    def claim(cls, root: Path, limit: int, workers: int) -> Self:
        """Take the first folder that no running process has, with what is left in it.

        Of what is left in others, that which no worker would find: after the first ``workers`` folders, each of which
        has its next owner.

        Args:
            root: the folder of all the spools; made if it is not there.
            limit: bytes that the spool may hold.
            workers: the processes that share ``root``.

        Raises:
            OSError: the folders cannot be made, read or locked.
        """
        root.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        own: Path | None = None
        left, locks = [], []
        for number in count():
            folder = root / f"{number:03}"
            if not folder.exists():
                if own is not None:
                    break
                folder.mkdir(_FOLDER_MODE, exist_ok=True)
                _fsync_folder(root)
            if own is not None and number < workers:
                continue
            lock = _lock(folder)
            if lock is None:
                continue
            segments = [_leftover(path) for path in sorted(folder.glob(_PATTERN))]
            if own is not None and not segments:
                os.close(lock)
                continue
            own = own or folder
            left += segments
            locks.append(lock)
        assert own is not None
        return cls(own, left, locks, limit)

    @property
    def records(self) -> int:
        """Events on the disk."""
        return sum(segment.records for segment in self._segments())

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(segment.bytes for segment in self._segments())

    @property
    def segments(self) -> int:
        """The files that hold events."""
        return len(self._segments())

    @property
    def has_room(self) -> bool:
        """Whether the next event would find room, however large it is."""
        return self._taken() + MAX_FRAME_BYTES <= self._limit

    def is_writable(self) -> bool:
        """Whether the disk takes events: after an append that failed, whether it takes the largest one now.

        That is tried here, because nobody may append any more: traffic is led away from a gateway that is not ready.
        """
        if self._refusing:
            with self._writing:
                self._try()
        return not self._refusing

    def append(self, record: Record) -> None:
        """Put an event at the end, and wait until it is on the disk; callers that wait together share one fsync.

        Raises:
            SpoolFull: there is no room for it.
            OSError: the disk does not take it; it may be there all the same.
        """
        framed = frame(record)
        with self._lock:
            if (taken := self._taken()) + len(framed) > self._limit:
                raise SpoolFull(f"the spool is full: {taken} of {self._limit} bytes are taken")
            self._reserved += len(framed)
            batch = self._next
            batch.frames.append(framed)
        with self._writing:
            # The first thread here writes for all; the others find it done.
            if not batch.done:
                self._commit(batch)
        if batch.error is not None:
            raise batch.error

    def oldest(self) -> Segment | None:
        """Oldest segment, sealed, which is to be sent next; None for an empty spool."""
        with self._writing:
            if not self._sealed:
                self._seal()
            return self._sealed[0] if self._sealed else None

    def read(self, segment: Segment) -> Contents:
        """Read a sealed segment.

        Raises:
            OSError: it cannot be read.
        """
        return unframe(segment.path.read_bytes())

    def remove(self, segment: Segment) -> None:
        """Remove the oldest segment: what it holds is safe elsewhere.

        Raises:
            OSError: the file cannot be removed; the next process will find it again.
        """
        self._forget(segment)
        segment.path.unlink()

    def give_up(self, segment: Segment) -> Path:
        """Pass the oldest segment over, as it cannot be read, and keep its file under another name.

        Returns:
            the file.

        Raises:
            OSError: the file cannot be renamed; the next process will find it again.
        """
        self._forget(segment)
        return segment.path.rename(segment.path.with_suffix(_LOST_SUFFIX))

    def set_aside(self, record: Record) -> Path:
        """Keep an event that Kafka refuses for good, and wait until it is on the disk; it still takes its room.

        Returns:
            the file to which it has been added.

        Raises:
            OSError: the disk does not take it.
        """
        path = self._folder / _REFUSED
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _FILE_MODE)
        try:
            _write(file, frame(record))
            os.fsync(file)
        finally:
            os.close(file)
        _fsync_folder(self._folder)
        return path

    def close(self) -> None:
        """Give the folders back; what is in them stays for the next process."""
        with self._writing:
            self._seal()
            for lock in self._locks:
                os.close(lock)

    def _is_own(self, segment: Segment) -> bool:
        return segment.path.parent == self._folder

    def _taken(self) -> int:
        """Bytes of the limit that are taken, or will be; an operator may take the refused events away at any time."""
        try:
            refused = (self._folder / _REFUSED).stat().st_size
        except FileNotFoundError:
            refused = 0
        return self._reserved + refused

    def _forget(self, segment: Segment) -> None:
        with self._lock:
            self._sealed.remove(segment)
            if self._is_own(segment):
                self._reserved -= segment.bytes

    def _segments(self) -> list[Segment]:
        with self._lock:
            return [*self._sealed, *([self._written] if self._written is not None else [])]

    def _commit(self, batch: _Batch) -> None:
        with self._lock:
            self._next = _Batch()
        data = b"".join(batch.frames)
        try:
            segment = self._written or self._begin_segment()
            _write(self._file, data)
            os.fsync(self._file)
        except OSError as error:
            batch.error = error
            self._refusing = True
            self._abandon(len(data))
        else:
            self._refusing = False
            segment.bytes += len(data)
            segment.records += len(batch.frames)
            if segment.bytes >= SEGMENT_BYTES:
                self._seal()
        batch.done = True

    def _begin_segment(self) -> Segment:
        path = self._folder / f"{next(self._numbers):010}{_SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        segment = Segment(path, 0, 0)
        with self._lock:
            self._written = segment
        _fsync_folder(self._folder)
        return segment

    def _try(self) -> None:
        """Write and remove a file as long as the largest event."""
        path = self._folder / _TRIAL
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
            try:
                _write(file, bytes(MAX_FRAME_BYTES))
                os.fsync(file)
            finally:
                os.close(file)
                path.unlink()
            self._refusing = False
        except OSError:
            pass

    def _abandon(self, reserved: int) -> None:
        """Write no further into a segment whose end is not known to be good."""
        with self._lock:
            self._reserved -= reserved
        if self._written is None:
            return
        with suppress(OSError):  # a torn end is found when it is read
            os.ftruncate(self._file, self._written.bytes)
        self._seal()

    def _seal(self) -> None:
        if self._written is None:
            return
        with self._lock:
            segment, self._written = self._written, None
            if segment.records:
                self._sealed.append(segment)
        with suppress(OSError):  # what counts in it is on the disk already
            os.close(self._file)
            if not segment.records:
                segment.path.unlink()


def _leftover(path: Path) -> Segment:
    try:
        data = path.read_bytes()
    except OSError:  # it is told of when it is to be sent
        return Segment(path, path.stat().st_size, 0)
    return Segment(path, len(data), len(unframe(data).records))


def _lock(folder: Path) -> int | None:
    """Lock a folder for this process; None if another one has it. A lock ends with its process, however that ends."""
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, _FILE_MODE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable (fsync(2) of a file does not)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
