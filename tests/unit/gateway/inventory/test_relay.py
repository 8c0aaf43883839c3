"""Parts of the relay without servers: the lease, the numbers, and what contradicts what."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from msgspec.structs import asdict

from contracts.inventory_change.change import MAX_CHANGE_BYTES, SNAPSHOT, IndexedDocument, encode
from contracts.inventory_change.reader import decode
from gateway.inventory.models import Change, Document, RelayState
from gateway.inventory.relay import outbox
from gateway.inventory.relay.composition import Composed, IndexedTypes, read_batch
from gateway.inventory.relay.lease import Lease, Superseded
from gateway.inventory.relay.outbox import Published
from gateway.inventory.relay.publisher import Publisher
from gateway.inventory.relay.topic import ADOPT, LastRecord, TopicView, adopt, contradiction
from kit.kafka import NewRecord
from tests.support.inventory import AUTHOR, TEXT, declare, delete, patch, put
from tests.support.inventory_change import EXAMPLES

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease() -> Lease:
    """A lease that is held."""
    made = Lease("worker")
    assert made.acquire()
    return made


def _published(first: int, count: int) -> list[Published]:
    return [Published(feed, feed % 3, feed * 10) for feed in range(first, first + count)]


def test_one_process_has_the_lease_until_it_ends_and_what_it_did_not_do_by_then_it_cannot(lease: Lease) -> None:
    other = Lease("another")
    assert not other.acquire()
    RelayState.objects.update(lease_until=datetime.now(UTC) - timedelta(seconds=1))
    assert other.acquire()
    declare("thing")
    put("thing/a", {"name": "a"})
    with pytest.raises(Superseded):
        outbox.number(lease)
    assert not lease.is_held
    with pytest.raises(Superseded):
        outbox.move_cursor(lease, _published(1, 1))
    assert Change.objects.get().feed is None
    assert RelayState.objects.get().last_feed == 0
    assert outbox.number(other) == 1


def test_a_lease_that_is_given_back_is_free_and_one_that_was_lost_is_not_given_back(lease: Lease) -> None:
    lease.release()
    other = Lease("another")
    assert other.acquire()
    lease.release()
    assert not Lease("third").acquire()


def test_a_process_that_failed_takes_its_own_lease_anew_without_waiting_for_its_end(lease: Lease) -> None:
    epoch = RelayState.objects.get().epoch
    lease.drop()
    assert not Lease("another").acquire()
    assert lease.acquire()
    assert RelayState.objects.get().epoch == epoch + 1


def test_numbers_go_on_without_a_gap_and_are_never_given_twice(lease: Lease) -> None:
    declare("thing")
    for number in range(5):
        put(f"thing/a{number}", {"name": "a"})
    assert outbox.number(lease) == 5
    assert outbox.number(lease) == 0
    put("thing/b", {"name": "b"})
    assert outbox.is_waiting()
    outbox.number(lease)
    rows = Change.objects.order_by("sequence").values_list("feed", flat=True)
    assert list(rows) == [1, 2, 3, 4, 5, 6]


def test_the_cursor_moves_with_the_places_of_the_changes(lease: Lease) -> None:
    declare("thing")
    for number in range(4):
        put(f"thing/a{number}", {"name": "a"})
    outbox.number(lease)
    outbox.move_cursor(lease, _published(1, 3))
    state = RelayState.objects.get()
    assert (state.last_feed, state.positions) == (3, {"1": 11, "2": 21, "0": 31})
    assert list(Change.objects.order_by("feed").values_list("partition", "offset")) == [
        (1, 10),
        (2, 20),
        (0, 30),
        (None, None),
    ]
    assert [message.change.feed for message in read_batch(10).messages] == [4]
    outbox.move_cursor(lease, _published(4, 1))
    assert not outbox.is_waiting()


def test_a_change_says_what_each_index_shall_hold_and_its_event_is_always_the_same(lease: Lease) -> None:
    declare("thing")
    put("thing/a", {"name": "a"})
    patch("thing/a", {"name": "b"})
    delete("thing/a")
    outbox.number(lease)
    first, second, third = read_batch(10).messages
    assert first.key == "thing/a"
    assert [orjson.loads(encode(each.change))["documents"] for each in (first, second, third)] == [
        [{"index": "thing-index-000001", "id": "a", "version": 1, "document": {"name": "a"}}],
        [{"index": "thing-index-000001", "id": "a", "version": 2, "document": {"name": "b"}}],
        [{"index": "thing-index-000001", "id": "a", "version": 3, "document": None}],
    ]
    assert second.event == read_batch(10).messages[1].event
    assert second.event is not None
    assert (second.event.event_id, second.event.user_id) == (second.change.change_id, "adapter")
    target = second.event.data.target
    assert target is not None
    assert (target.type, target.id, target.version, target.changed) == ("thing", "a", 2, ["/name"])


def test_a_change_that_another_version_of_the_gateway_has_written_is_published(lease: Lease) -> None:
    declare("thing")
    put("thing/a", {"name": "a"})
    older = {name: value for name, value in AUTHOR.metadata.items() if name != "trace_id"}
    Change.objects.update(event_metadata=older | {"new": "member"})
    outbox.number(lease)
    [message] = read_batch(10).messages
    assert message.event is not None
    assert asdict(message.event.metadata) == AUTHOR.metadata


def test_a_tree_is_composed_once_a_batch_with_everything_that_is_there(lease: Lease) -> None:
    declare("box")
    declare("part", {"name": TEXT}, parent="box")
    declare("screw", {"name": TEXT}, parent="part")
    declare("part", {"name": TEXT}, parent="box", embed=["screw"])
    declare("box", embed=["part"])
    put("box/b", {"name": "box"})
    put("part/p", {"name": "p"}, parent="b")
    put("screw/s", {"name": "s"}, parent="p")
    outbox.number(lease)
    documents = [[(each.id, each.version) for each in message.change.documents] for message in read_batch(10).messages]
    assert documents == [[("b", 3)], [("p", 2)], [("s", 1)]]
    box = read_batch(10).messages[0].change.documents[0]
    assert orjson.loads(bytes(box.document)) == {"name": "box", "part": [{"name": "p"}]}
    outbox.move_cursor(lease, _published(1, 3))
    patch("screw/s", {"name": "t"})
    outbox.number(lease)
    [message] = read_batch(10).messages
    assert {each.id for each in message.change.documents} == {"s", "p", "b"}
    assert message.key == "box/b"
    assert Document.objects.get(document_id="b").tree_version == 4


def test_both_indices_are_addressed_while_one_is_made_again(lease: Lease) -> None:
    declare("thing")
    put("thing/a", {"name": "a"})
    types = IndexedTypes.read().indices["thing"]
    assert types.names == ("thing-index-000001",)
    declare("thing", mapping={"properties": {"name": {"type": "text"}}})
    outbox.number(lease)
    [message] = read_batch(10).messages
    assert [each.index for each in message.change.documents] == ["thing-index-000001", "thing-index-000002"]


class _Producer:  # pylint: disable=too-few-public-methods  # it sends
    def __init__(self) -> None:
        self.sent: list[list[NewRecord]] = []

    def send(self, records: list[NewRecord]) -> list[Any]:
        """Keep the records."""
        self.sent.append(records)
        return list(range(len(records)))


def test_a_change_that_is_too_long_for_a_record_comes_behind_snapshots_of_its_documents() -> None:
    change = decode((EXAMPLES[0].parent / "create.child.json").read_bytes())
    long = bytes(orjson.dumps({"name": "x" * 1_400_000}))
    change.documents = [IndexedDocument(f"i{number}", "gold", 4, type(change.document)(long)) for number in range(4)]
    producer = _Producer()
    places: Any = Publisher(producer, "changes", "events").publish([Composed("plan/gold", change, None)], 50)  # type: ignore[arg-type]

    assert len(producer.sent) == 2
    events, records = producer.sent[0], producer.sent[1]
    assert events == []
    assert places == [len(records) - 1]
    assert all(len(record.value or b"") <= MAX_CHANGE_BYTES for record in records)
    read = [decode(record.value) for record in records]
    assert [each.op for each in read] == [SNAPSHOT] * (len(read) - 1) + ["create"]
    assert {entry.index for each in read for entry in each.documents} == {"i0", "i1", "i2", "i3"}
    assert read[-1].feed == change.feed
    assert {record.key for record in records} == {"plan/gold"}


def _view(topic_id: str = "t", highest: int = 0, feed: int | None = None, change_id: str | None = None) -> TopicView:
    return TopicView(topic_id, {0: 5}, {0: LastRecord(highest, feed, change_id)})


def test_a_topic_or_a_database_that_is_another_one_is_found_out(lease: Lease) -> None:
    declare("thing")
    put("thing/a", {"name": "a"})
    Change.objects.update(feed=1)
    change_id = str(Change.objects.get().change_id)
    state = RelayState.objects.get()
    assert contradiction(state, _view(highest=1, feed=1, change_id=change_id), "changes") is None
    adopt(lease, _view())
    state.refresh_from_db()
    assert contradiction(state, _view(), "changes") is None
    assert "was deleted and made again" in str(contradiction(state, _view("u"), "changes"))
    assert "gone back in time" in str(contradiction(state, _view(highest=2), "changes"))
    assert "is another one" in str(contradiction(state, _view(highest=1, feed=1, change_id="x"), "changes"))


def test_a_new_database_does_not_take_a_topic_that_has_changes_unless_all_is_rebuilt(lease: Lease) -> None:
    state = RelayState.objects.get()
    assert "gone back in time" in str(contradiction(state, _view(highest=7), "changes"))
    state.topic_id = ADOPT
    state.save()
    assert contradiction(state, _view(highest=7), "changes") is None
    adopt(lease, _view(highest=7))
    state.refresh_from_db()
    assert (state.topic_id, state.last_feed, state.positions) == ("t", 7, {"0": 5})
    assert contradiction(state, _view(highest=7), "changes") is None
    assert outbox.highest_feed() == 7


def test_a_leader_that_was_paused_while_it_looked_at_the_topic_puts_nothing_back(lease: Lease) -> None:
    declare("thing")
    for number in range(3):
        put(f"thing/{number}", {"name": "a"})
    RelayState.objects.update(lease_until=None)
    another = Lease("another")
    assert another.acquire()
    adopt(another, _view())
    outbox.number(another)
    outbox.move_cursor(another, _published(1, 3))
    before = RelayState.objects.values().get()

    with pytest.raises(Superseded):
        adopt(lease, TopicView("older", {0: 1}, {}))
    assert RelayState.objects.values().get() == before
