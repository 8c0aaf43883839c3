"""Events on the disk: in order, within bounds, and there after every crash."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from contracts.query_event.event import MAX_EVENT_BYTES
from gateway.audit.spool import SEGMENT_BYTES, Spool, SpoolFull
from gateway.audit.spool_format import MAX_FRAME_BYTES, Record, frame, unframe
from tests.support.full_disk import no_file_beyond

LIMIT = 64 * SEGMENT_BYTES


def _record(number: int, size: int = 0) -> Record:
    return Record(f"event-{number:06}", "octoAdmin", b'{"query":"%s"}' % (b"x" * size), [("ce_id", b"1")])


def _drain(spool: Spool) -> list[str]:
    """Take everything out, in order."""
    found = []
    while (segment := spool.oldest()) is not None:
        found += [record.event_id for record in spool.read(segment).records]
        spool.remove(segment)
    return found


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """An empty spool."""
    claimed = Spool.claim(tmp_path / "spool", LIMIT, 1)
    yield claimed
    claimed.close()


def test_events_come_out_in_the_order_in_which_they_went_in(spool: Spool) -> None:
    for number in range(20):
        spool.append(_record(number, SEGMENT_BYTES // 6))
    assert spool.segments > 2
    assert _drain(spool) == [f"event-{number:06}" for number in range(20)]
    assert (spool.records, spool.bytes, spool.segments) == (0, 0, 0)


def test_its_depth_is_that_of_the_files(spool: Spool, tmp_path: Path) -> None:
    for number in range(20):
        spool.append(_record(number, SEGMENT_BYTES // 6))
    files = [*tmp_path.glob("spool/000/*.spool")]
    assert spool.records == 20
    assert spool.bytes == sum(file.stat().st_size for file in files)
    assert spool.segments == len(files)


def test_callers_that_wait_together_share_an_fsync(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, synced = os.fsync, []

    def slow(file: int) -> None:
        synced.append(file)
        time.sleep(0.05)
        fsync(file)

    callers = 16
    spool.append(_record(99))
    monkeypatch.setattr(os, "fsync", slow)
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(lambda number: spool.append(_record(number)), range(callers)))
    assert len(synced) < callers / 2
    assert spool.records == callers + 1


def test_a_full_spool_refuses_and_takes_again_once_something_is_gone(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, 3 * len(frame(_record(0))), 1)
    for number in range(3):
        spool.append(_record(number))
    with pytest.raises(SpoolFull):
        spool.append(_record(3))
    assert _drain(spool) == ["event-000000", "event-000001", "event-000002"]
    spool.append(_record(4))
    assert _drain(spool) == ["event-000004"]
    spool.close()


def test_there_is_room_as_long_as_the_largest_event_fits(tmp_path: Path) -> None:
    user, traceparent = "\0" * 150, ("traceparent", b"0" * 55)
    largest = Record("e" * 36, user, b"x" * MAX_EVENT_BYTES, [("ce_source", b"s" * 200), traceparent])
    spool = Spool.claim(tmp_path, MAX_FRAME_BYTES + len(frame(_record(0))), 1)
    spool.append(_record(0))
    assert spool.has_room
    spool.append(_record(1, 0))
    assert not spool.has_room
    _drain(spool)
    assert spool.has_room
    spool.append(largest)
    spool.close()


def test_a_disk_that_is_full_refuses_an_event_and_harms_no_other(spool: Spool, tmp_path: Path) -> None:
    spool.append(_record(0))
    with no_file_beyond(spool.bytes + 30), pytest.raises(OSError):
        spool.append(_record(1))
    spool.append(_record(2))
    assert (spool.records, spool.bytes) == (2, 2 * len(frame(_record(0))))
    assert _drain(spool) == ["event-000000", "event-000002"]
    assert not [*tmp_path.glob("spool/000/*.spool")]


def test_a_disk_without_room_for_a_first_event_leaves_no_file(spool: Spool, tmp_path: Path) -> None:
    with no_file_beyond(30), pytest.raises(OSError):
        spool.append(_record(0))
    assert (spool.records, spool.segments, spool.oldest()) == (0, 0, None)
    assert not [*tmp_path.glob("spool/000/*.spool")]


def test_a_disk_that_has_refused_an_event_is_not_writable_until_it_takes_one(spool: Spool, tmp_path: Path) -> None:
    with no_file_beyond(30):
        assert spool.is_writable(), "nothing has been refused yet"
        with pytest.raises(OSError):
            spool.append(_record(0))
        assert not spool.is_writable()
        assert not spool.is_writable()
    assert spool.is_writable()
    assert [path.name for path in tmp_path.glob("spool/000/*")] == ["lock"]


def test_an_event_that_is_taken_makes_a_disk_writable_again(spool: Spool) -> None:
    with no_file_beyond(30), pytest.raises(OSError):
        spool.append(_record(0))
    spool.append(_record(1))
    with no_file_beyond(spool.bytes):
        assert spool.is_writable()


def test_a_disk_with_room_for_a_small_event_alone_is_not_writable(spool: Spool) -> None:
    with no_file_beyond(30), pytest.raises(OSError):
        spool.append(_record(0))
    with no_file_beyond(MAX_FRAME_BYTES - 1):
        assert not spool.is_writable()


def test_two_processes_never_share_a_folder(tmp_path: Path) -> None:
    first, second = Spool.claim(tmp_path, LIMIT, 1), Spool.claim(tmp_path, LIMIT, 1)
    first.append(_record(1))
    second.append(_record(2))
    assert (_drain(first), _drain(second)) == (["event-000001"], ["event-000002"])
    first.close()
    second.close()


def test_events_that_processes_leave_behind_are_taken_over_by_the_next_that_starts(tmp_path: Path) -> None:
    gone = [Spool.claim(tmp_path, LIMIT, 1) for _ in range(3)]
    for number, spool in enumerate(gone):
        spool.append(_record(number))
    gone[0].close()
    gone[2].close()
    heir = Spool.claim(tmp_path, LIMIT, 1)
    heir.append(_record(9))
    assert _drain(heir) == ["event-000000", "event-000002", "event-000009"]
    assert _drain(gone[1]) == ["event-000001"]
    heir.close()
    gone[1].close()


def test_workers_that_start_again_each_find_a_folder_of_before_and_no_more_are_made(tmp_path: Path) -> None:
    workers = 4
    for start in range(3):
        spools = [Spool.claim(tmp_path, LIMIT, workers) for _ in range(workers)]
        assert [spool.records for spool in spools] == [start] * workers
        for number, spool in enumerate(spools):
            spool.append(_record(number))
        for spool in spools:
            spool.close()
    assert len([*tmp_path.iterdir()]) == workers


def test_the_contents_of_its_own_folder_count_towards_the_bound(tmp_path: Path) -> None:
    gone = Spool.claim(tmp_path, LIMIT, 1)
    gone.append(_record(0))
    gone.close()
    heir = Spool.claim(tmp_path, len(frame(_record(0))), 1)
    with pytest.raises(SpoolFull):
        heir.append(_record(1))
    heir.close()


def test_events_left_by_workers_that_are_gone_take_no_room_from_their_heir(tmp_path: Path) -> None:
    gone = [Spool.claim(tmp_path, LIMIT, 3) for _ in range(3)]
    for number in (1, 2):
        gone[number].append(_record(number))
    for spool in gone:
        spool.close()
    heir = Spool.claim(tmp_path, len(frame(_record(3))), 1)
    heir.append(_record(3))
    assert _drain(heir) == ["event-000001", "event-000002", "event-000003"]
    heir.append(_record(4))
    with pytest.raises(SpoolFull):
        heir.append(_record(5))
    heir.close()


def test_an_event_that_is_set_aside_is_no_longer_sent_and_still_takes_its_room(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, len(frame(_record(0))), 1)
    spool.append(_record(0))
    segment = spool.oldest()
    assert segment is not None
    kept = spool.set_aside(_record(0))
    spool.remove(segment)
    assert unframe(kept.read_bytes()).records == [_record(0)]
    assert (spool.records, spool.oldest()) == (0, None)
    with pytest.raises(SpoolFull):
        spool.append(_record(1))
    spool.close()
    heir = Spool.claim(tmp_path, len(frame(_record(0))), 1)
    with pytest.raises(SpoolFull):
        heir.append(_record(1))
    kept.unlink()
    heir.append(_record(1))
    heir.close()


def test_events_that_were_set_aside_are_sent_first_once_their_file_is_named_as_a_segment(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, LIMIT, 1)
    for number in range(2):
        kept = spool.set_aside(_record(number))
    spool.append(_record(2))
    spool.close()
    kept.rename(kept.with_name("0000000000.spool"))
    heir = Spool.claim(tmp_path, LIMIT, 1)
    heir.append(_record(3))
    assert _drain(heir) == [f"event-{number:06}" for number in range(4)]
    heir.close()


def test_a_left_over_that_cannot_be_read_stops_no_start(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, LIMIT, 1)
    spool.append(_record(0))
    spool.close()
    # Linux refuses to read a process's first page, which nothing is mapped to, as a bad disk does: with EIO.
    (tmp_path / "000" / "0000000000.spool").symlink_to("/proc/self/mem")
    heir = Spool.claim(tmp_path, LIMIT, 1)
    unreadable = heir.oldest()
    assert unreadable is not None
    with pytest.raises(OSError) as caught:
        heir.read(unreadable)
    assert caught.value.errno == errno.EIO
    assert heir.give_up(unreadable).name == "0000000000.lost"
    assert _drain(heir) == ["event-000000"]
    heir.close()


def test_no_segment_takes_the_place_of_one_that_was_given_up(tmp_path: Path) -> None:
    for number in range(2):
        spool = Spool.claim(tmp_path, LIMIT, 1)
        spool.append(_record(number))
        segment = spool.oldest()
        assert segment is not None
        spool.give_up(segment)
        assert (spool.records, spool.bytes) == (0, 0)
        spool.close()
    assert [unframe(path.read_bytes()).records for path in sorted(tmp_path.glob("000/*.lost"))] == [
        [_record(0)],
        [_record(1)],
    ]


def test_others_on_the_machine_cannot_read_it(spool: Spool, tmp_path: Path) -> None:
    spool.append(_record(0))
    for path in tmp_path.glob("spool/**/*"):
        assert path.stat().st_mode & 0o077 == 0, path


class CrashingSpool(RuleBasedStateMachine):
    """Any sequence of appending, sending, crashing, tearing and starting again keeps the order and loses nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.expected: list[str] = []
        self.appended = 0

    @initialize()
    def start(self) -> None:
        """The first process."""
        self.spool = Spool.claim(self.root, LIMIT, 1)  # pylint: disable=attribute-defined-outside-init

    @rule(count=st.integers(1, 4), size=st.sampled_from([0, 100, SEGMENT_BYTES // 3, SEGMENT_BYTES]))
    def append(self, count: int, size: int) -> None:
        """Events are acknowledged."""
        for _ in range(count):
            record = _record(self.appended, size)
            self.spool.append(record)
            self.appended += 1
            self.expected.append(record.event_id)

    @precondition(lambda self: self.expected)
    @rule()
    def send_one_segment(self) -> None:
        """Kafka takes the oldest segment."""
        segment = self.spool.oldest()
        assert segment is not None
        sent = [record.event_id for record in self.spool.read(segment).records]
        assert sent == self.expected[: len(sent)]
        self.spool.remove(segment)
        self.expected = self.expected[len(sent) :]

    @rule(torn=st.integers(0, 200))
    def crash(self, torn: int) -> None:
        """The process ends while it writes an event that was promised to no client; the next one starts."""
        self.spool.close()
        segments = sorted(self.root.glob("*/*.spool"))
        if segments and torn:
            with segments[-1].open("ab") as file:
                file.write(frame(_record(999_999, 300))[:torn])
        self.start()

    @rule()
    def look(self) -> None:
        """Its depth is what has not been sent."""
        assert self.spool.records == len(self.expected)

    def teardown(self) -> None:
        """Everything that was acknowledged comes out, once, in order."""
        assert _drain(self.spool) == self.expected
        self.spool.close()
        shutil.rmtree(self.root)


CrashingSpool.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestCrashingSpool = CrashingSpool.TestCase
