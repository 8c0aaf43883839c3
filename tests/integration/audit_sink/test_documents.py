"""Every event becomes one document of its day."""

from datetime import UTC, date, datetime, timedelta

from contracts.query_event.event import encode
from tests.support.consumer_process import Start
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually


def test_events_become_documents_of_their_day(trail: Trail, start: Start) -> None:
    first = event(1, query='Hostname = "İstanbul 🐙"')
    trail.produce([first, *(event(number) for number in range(2, 100))])
    start()

    eventually(trail.all_indexed, "every event as a document")
    hit = trail.indexed()[first.event_id]
    source = hit["_source"]
    assert hit["_index"] == trail.index_prefix + first.timestamp[:10].replace("-", ".")
    assert source["user"]["name"] == first.user_id
    assert source["sluice"]["query"] == first.data.query
    kafka = source["sluice"]["kafka"]
    original = trail.records(trail.topic, kafka["partition"])[kafka["offset"]]
    assert original.value() == encode(first)
    trail.assert_account_closes()


def test_the_same_event_twice_is_one_document(trail: Trail, start: Start) -> None:
    events = [event(number) for number in range(50)]
    trail.produce(events)
    trail.produce(events)
    sink = start()

    eventually(lambda: sink.metric("indexing_operations_duplicate_total") == 50, "50 duplicates counted")
    assert len(trail.indexed()) == 50
    trail.assert_account_closes()


def test_an_absurd_clock_makes_no_index_of_its_own(trail: Trail, start: Start) -> None:
    today = datetime.now(UTC)
    yesterday = today - timedelta(days=1)
    trail.produce([event(1, yesterday), event(2, today), event(3, datetime(1980, 1, 1, tzinfo=UTC))])
    trail.produce([event(4, datetime(2999, 1, 1, tzinfo=UTC))])
    start()

    eventually(trail.all_indexed, "every event as a document")
    days = {(today + timedelta(days=days)).strftime("%Y.%m.%d") for days in (-1, 0, 1)}
    assert {hit["_index"].removeprefix(trail.index_prefix) for hit in trail.indexed().values()} <= days


def test_early_and_late_events_belong_to_their_own_day_within_the_window(trail: Trail, start: Start) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    clocks = [midnight, midnight - timedelta(milliseconds=1), *(midnight + timedelta(days=n) for n in (-8, -7, 1, 2))]
    events = {each.event_id: each for each in (event(number, clock) for number, clock in enumerate(clocks))}
    trail.produce(events.values())
    start()

    eventually(trail.all_indexed, "every event as a document")
    for event_id, hit in trail.indexed().items():
        kafka = hit["_source"]["sluice"]["kafka"]
        arrived_ms = trail.records(trail.topic, kafka["partition"])[kafka["offset"]].timestamp()[1]
        arrived = datetime.fromtimestamp(arrived_ms / 1000, UTC).date()
        own = date.fromisoformat(events[event_id].timestamp[:10])
        expected = own if -7 <= (own - arrived).days <= 1 else arrived
        assert hit["_index"] == trail.index_prefix + expected.strftime("%Y.%m.%d")
