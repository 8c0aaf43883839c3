"""The tail's account, as a function of what was produced, read, dropped and taken."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.live.frames import Filter
from gateway.live.trail import Ring, TailView, TrailEvent


def _event(partition: int, offset: int, user: str = "ayse", text: str = "") -> TrailEvent:
    return TrailEvent(partition, offset, user, "query.executed", text, b"{}")


def _ring(partitions: int = 2, max_events: int = 100) -> Ring:
    ring = Ring(max_events=max_events)
    ring.begin(dict.fromkeys(range(partitions), 0), dict.fromkeys(range(partitions), 0))
    return ring


_STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "skip", "take"]), st.integers(0, 1), st.sampled_from(["ayse", "others"])),
    max_size=60,
)


@given(_STEPS, st.dictionaries(st.integers(0, 1), st.integers(0, 10)), st.integers(1, 20))
def test_shown_filtered_and_left_out_are_the_difference_of_the_offsets(
    steps: list[tuple[str, int, str]], begin: dict[int, int], max_events: int
) -> None:
    ring = _ring(max_events=max_events)
    produced = Counter({0: 5, 1: 5})
    for partition in (0, 1):
        for offset in range(5):
            ring.add(_event(partition, offset))
    view = TailView(ring, Filter(user="ayse"), begin)
    base = dict(view.at)
    assert all(base[partition] == min(begin.get(partition, 5), 5) for partition in base)
    accounted = 0
    for kind, partition, user in [*steps, ("take", 0, "")]:
        if kind == "take":
            part = view.take()
            accounted += len(part.events) + part.filtered + part.left_out
        else:
            # An offset that has no record, such as that of a transaction's marker, is one too.
            produced[partition] += kind == "skip"
            ring.add(_event(partition, produced[partition], user))
            produced[partition] += 1
    assert view.at == dict(produced)
    assert accounted == sum(view.at.values()) - sum(base.values())


def test_a_tail_begins_where_production_stands_even_if_reading_is_behind() -> None:
    ring = Ring()
    ring.begin({0: 100}, {0: 150})
    fresh, resumed = TailView(ring, Filter(), {}), TailView(ring, Filter(), {0: 140})
    for offset in range(100, 155):
        ring.add(_event(0, offset))
    assert (len(fresh.take().events), fresh.at) == (5, {0: 155})
    assert (len(resumed.take().events), resumed.at) == (15, {0: 155})


def test_a_filter_takes_all_that_its_members_ask_for() -> None:
    ring = _ring()
    view = TailView(ring, Filter(user="ayse", event_type="query.executed", text="LINUX"), {})
    ring.add(_event(0, 0, text="os.type = linux"))
    ring.add(_event(0, 1, user="others", text="os.type = linux"))
    ring.add(_event(0, 2, text="os.type = windows"))
    part = view.take()
    assert (len(part.events), part.filtered, part.left_out) == (1, 2, 0)


def test_reading_that_goes_on_keeps_the_ring_and_a_topic_that_began_anew_does_not() -> None:
    ring = _ring()
    ring.add(_event(0, 0))
    ring.begin({0: 1, 1: 0, 2: 0}, {0: 1, 1: 0, 2: 0})
    assert (ring.generation, ring.end - ring.first) == (0, 1)
    ring.begin({0: 0, 1: 0, 2: 0}, {0: 0, 1: 0, 2: 0})
    assert (ring.generation, ring.end - ring.first) == (1, 0)


def test_the_ring_is_bounded_in_bytes() -> None:
    ring = Ring(max_bytes=1_000)
    ring.begin({0: 0}, {0: 0})
    for offset in range(100):
        ring.add(TrailEvent(0, offset, None, "", "", b"x" * 100))
    assert ring.end - ring.first == 10
    assert ring.oldest(0) == 90
