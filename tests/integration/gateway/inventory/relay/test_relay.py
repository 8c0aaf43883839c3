"""The relay publishes each change once it is written, in one order, whatever happens to it on the way."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from confluent_kafka.admin import AdminClient
from django.db import transaction
from pydantic import SecretStr
from pytest_django import Settings

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from gateway.inventory import retention
from gateway.inventory.cache import CachedDocument, document_cache
from gateway.inventory.erasure import erase_document
from gateway.inventory.indices import Indices, Unprepared
from gateway.inventory.models import Change, Document, IndexState, InventoryType, RelayState
from gateway.inventory.rebuild import begin, begin_all
from gateway.inventory.rejections import note
from gateway.inventory.relay import outbox
from gateway.inventory.relay.composition import IndexedTypes
from gateway.inventory.relay.lease import Superseded
from gateway.inventory.relay.producer import WorkerProducer
from gateway.inventory.relay.publisher import Publisher
from local import ports
from tests.support import redis_server, topic
from tests.support.consumer_process import Start
from tests.support.inventory import AUTHOR, TEXT, declare, delete, patch, place, put, restore
from tests.support.inventory_change import read_change
from tests.support.inventory_stack import THING, InventoryStack, Killed, KilledAt, publish_all
from tests.support.waiting import eventually


def write_some(count: int, prefix: str = "d") -> None:
    """Create documents, change each second one and delete each third one."""
    for number in range(count):
        name = f"{THING}/{prefix}{number}"
        put(name, {"name": name, "size": number})
        if number % 2 == 0:
            patch(name, {"size": -number - 1})
        if number % 3 == 0:
            delete(name)


Dump = list[tuple[Any, list[Any]]]


def dump() -> Dump:
    """The database as a backup has it."""
    tables = (Document.objects, Change.objects, RelayState.objects, InventoryType.objects)
    return [(table, list(table.all())) for table in tables]


def rejected() -> set[str]:
    """The ids of the documents that their index has refused."""
    return set(Document.objects.filter(index_state=IndexState.REJECTED).values_list("document_id", flat=True))


def bring_back(dumped: Dump) -> None:
    """Restore the database from a backup; whoever led then leads no more."""
    for table, rows in dumped:
        table.all().delete()
        table.bulk_create(rows)
    RelayState.objects.update(lease_until=None)


def test_every_write_reaches_the_index_as_the_database_has_it(stack: InventoryStack, start: Start) -> None:
    start()
    write_some(30)
    restore(f"{THING}/d0", 1)
    publish_all(stack.relay())

    stack.assert_agreement()
    changes = stack.changes()
    assert [change["op"] for change in changes[:3]] == ["create", "patch", "delete"]
    assert changes[1]["changed"] == ["/size"]
    assert changes[-1]["op"] == "restore"
    places = [(row.partition, row.offset) for row in Change.objects.order_by("feed")]
    for position, change in zip(places, changes, strict=True):
        [record] = [
            each
            for each in topic.records(stack.trail.bootstrap, stack.trail.topic, [position[0] or 0])
            if each.offset() == position[1]
        ]
        assert read_change(record.value())["change_id"] == change["change_id"]


def test_a_relay_that_starts_while_elasticsearch_is_down_publishes(stack: InventoryStack, start: Start) -> None:
    write_some(1)
    publish_all(stack.relay("first", seconds=0.0))
    write_some(10, "later")
    with connect(ElasticsearchSettings(url=f"http://127.0.0.1:{ports.free(1)[0]}")) as nowhere:
        publish_all(stack.relay("second", indices=Indices(nowhere)))

    start()
    stack.assert_agreement()


@pytest.mark.parametrize("step", range(3), ids=["before the events", "before the changes", "before the cursor"])
def test_a_relay_that_is_killed_loses_nothing_and_the_next_repeats_the_same_numbers(
    stack: InventoryStack, start: Start, step: int
) -> None:
    start()
    write_some(10)
    publish_all(stack.relay())
    RelayState.objects.update(lease_until=None)
    write_some(10, "e")
    producer = WorkerProducer(stack.kafka)
    killed = KilledAt(Publisher(producer, stack.trail.topic, stack.audit_topic), producer, step)
    relay = stack.relay(publisher=killed)  # type: ignore[arg-type]  # it publishes
    with pytest.raises(Killed):
        relay.turn()
    numbered = dict(Change.objects.values_list("change_id", "feed"))
    assert None not in numbered.values()

    RelayState.objects.update(lease_until=None)
    put(f"{THING}/last", {"name": "last"})
    publish_all(stack.relay("another"))

    assert numbered.items() <= dict(Change.objects.values_list("change_id", "feed")).items()
    stack.assert_agreement()


def test_a_leader_that_was_paused_can_do_nothing_when_it_wakes(stack: InventoryStack, start: Start) -> None:
    start()
    paused = stack.relay("paused", seconds=0.001)
    write_some(3)
    publish_all(paused)
    another = stack.relay("another")
    eventually(lambda: another.turn() >= 0 and another.leads, "the other leads")
    write_some(3, "e")
    before = RelayState.objects.values().get()

    with pytest.raises(Superseded):
        paused.turn()
    assert RelayState.objects.values().get() == before
    assert Change.objects.filter(feed=None).count() == 6
    # It stands by from then on, and takes over only once the other has gone.
    assert paused.turn() > 0
    assert not paused.leads
    publish_all(another)
    stack.assert_agreement()


def test_a_leader_that_was_paused_while_it_sent_repeats_records_and_changes_nothing(
    stack: InventoryStack, start: Start
) -> None:
    start()
    publisher = stack.publisher()
    another = stack.relay("another")

    class Paused:  # pylint: disable=too-few-public-methods  # it publishes
        """A publisher whose process sleeps before it sends, while another leads and publishes."""

        def publish(self, *arguments: Any) -> Any:
            """Sleep, and send."""
            RelayState.objects.update(lease_until=None)
            write_some(3, "later")
            publish_all(another)
            return publisher.publish(*arguments)

    write_some(4)
    paused = stack.relay("paused", Paused())  # type: ignore[arg-type]  # it publishes
    with pytest.raises(Superseded):
        paused.turn()

    assert len(topic.records(stack.trail.bootstrap, stack.trail.topic, range(6))) > Change.objects.count()
    stack.assert_agreement()


@pytest.mark.parametrize(
    ("index", "reason"),
    [("", "is an index, and has to be the alias"), ("-000001", "Elasticsearch refuses the index of the type")],
)
def test_a_type_whose_index_cannot_be_made_stops_nobody_else_until_it_is_written_to(
    index: str, reason: str, stack: InventoryStack, start: Start
) -> None:
    start()
    stack.declare("other", {"name": TEXT})
    mappings = {"properties": {"name": {"type": "long"}}}
    stack.client.indices.create(index=f"{stack.alias}-other{index}", mappings=mappings)
    relay = stack.relay()
    put(f"{THING}/before", {"name": "before"})
    publish_all(relay)
    assert relay.trouble is None

    for name in (f"{THING}/beside", "other/first", f"{THING}/behind"):
        put(name, {"name": name})
    with pytest.raises(Unprepared, match=reason):
        publish_all(relay)
    stack.settle()
    assert set(stack.indexed(stack.alias)) == {"before", "beside"}

    declare("other", {"name": TEXT}, index=f"{stack.alias}-another")
    publish_all(stack.relay(holder="the next"))
    stack.assert_agreement()
    assert set(stack.indexed(f"{stack.alias}-another")) == {"first"}


def test_of_two_relays_one_publishes(stack: InventoryStack, start: Start) -> None:
    start()
    relays = [stack.relay(str(number)) for number in range(2)]
    for number in range(20):
        put(f"{THING}/n{number}", {"name": "n"})
        for relay in relays:
            relay.turn()

    publish_all(relays[0])
    assert [relay.leads for relay in relays] == [True, False]
    records = topic.records(stack.trail.bootstrap, stack.trail.topic, range(6))
    assert len(records) == 20
    stack.assert_agreement()


def test_a_parent_comes_with_each_change_below_it_and_once_for_many(stack: InventoryStack, start: Start) -> None:
    stack.declare("box", {"name": TEXT})
    stack.declare("part", {"name": TEXT}, parent="box")
    stack.declare("box", {"name": TEXT}, embed=["part"])
    start()
    put("box/b", {"name": "box"})
    relay = stack.relay()
    publish_all(relay)
    with transaction.atomic():
        for number in range(10):
            put(f"part/p{number}", {"name": str(number)}, parent="b")
    publish_all(relay)
    delete("part/p3")
    publish_all(relay)

    stack.assert_agreement()
    [version, box] = stack.indexed(f"{stack.alias}-box")["b"]
    assert box == {"name": "box", "part": [{"name": str(number)} for number in range(10) if number != 3]}
    assert version == Document.objects.get(type="box").tree_version
    boxes = [entry for change in stack.changes() for entry in change["documents"] if entry["id"] == "b"]
    assert len(boxes) == 3
    keys = {record.key() for record in topic.records(stack.trail.bootstrap, stack.trail.topic, range(6))}
    assert keys == {b"box/b"}


def test_an_old_record_after_a_delete_brings_no_document_back(stack: InventoryStack, start: Start) -> None:
    start()
    put(f"{THING}/d", {"name": "old"})
    patch(f"{THING}/d", {"name": "newer"})
    relay = stack.relay()
    publish_all(relay)
    delete(f"{THING}/d")
    publish_all(relay)
    stack.settle()
    assert stack.indexed(stack.alias) == {}
    records = [
        each
        for each in topic.records(stack.trail.bootstrap, stack.trail.topic, range(6))
        if read_change(each.value())["op"] != "delete"
    ]
    for record in records:
        stack.trail.produce_raw(record.value() or b"")
    put(f"{THING}/after", {"name": "after"})
    publish_all(relay)
    eventually(lambda: stack.trail.lag() == 0, "all old records are indexed again")

    assert len(records) == 2
    assert set(stack.indexed(stack.alias)) == {"after"}
    assert stack.trail.dead_letters() == []


def test_a_document_that_is_erased_is_gone_from_the_index_and_everybody_is_told(
    stack: InventoryStack, start: Start
) -> None:
    start()
    for name in ("d", "kept", "late"):
        put(f"{THING}/{name}", {"name": "a person"})
    relay = stack.relay()
    publish_all(relay)
    patch(f"{THING}/late", {"size": 1})
    for name in ("d", "late"):
        assert erase_document(place(THING, name), AUTHOR) > 0
    publish_all(relay)
    stack.settle()

    assert set(stack.indexed(stack.alias)) == {"kept"} == set(stack.expected(THING))
    assert [row.feed for row in Change.objects.order_by("feed")] == list(range(1, 7))
    told = {(each["id"], each["version"]): (each["op"], each["document"]) for each in stack.changes()}
    assert told["d", 2] == ("erase", None)
    # What was not published yet when it was erased has no content on the topic either.
    assert (told["late", 2], told["late", 3]) == (("patch", None), ("erase", None))


def test_changes_that_were_pruned_are_missed_by_nobody(stack: InventoryStack, start: Start, settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"history_days": 1})
    start()
    write_some(6)
    publish_all(stack.relay())
    Change.objects.update(at=datetime.now(UTC) - timedelta(days=2))
    put(f"{THING}/unpublished", {"name": "u"})
    retention.clean(datetime.now(UTC), threading.Event())
    assert Change.objects.count() == 1

    RelayState.objects.update(lease_until=None)
    publish_all(stack.relay("another"))
    stack.settle()
    assert stack.indexed(stack.alias) == stack.expected(THING)
    numbers = [change["feed"] for change in stack.changes()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers[-1] == Change.objects.get().feed


def test_a_topic_that_was_made_again_stops_publishing_until_all_is_rebuilt(stack: InventoryStack, start: Start) -> None:
    start()
    write_some(10)
    relay = stack.relay()
    publish_all(relay)
    stack.settle()
    admin = AdminClient({"bootstrap.servers": stack.trail.bootstrap})
    admin.delete_topics([stack.trail.topic])[stack.trail.topic].result()
    eventually(lambda: stack.trail.topic not in admin.list_topics(timeout=5).topics, "the topic is gone")
    stack.trail.create_topics()
    put(f"{THING}/new", {"name": "new"})
    RelayState.objects.update(lease_until=None)
    another = stack.relay("another")
    another.turn()

    assert another.trouble is not None
    assert "was deleted and made again" in another.trouble
    assert "rebuild --all" in another.trouble
    assert not topic.records(stack.trail.bootstrap, stack.trail.topic, range(6))
    begin_all()
    eventually(lambda: another.turn() >= 0 and another.leads, "it publishes again")
    publish_all(another)
    stack.rebuild()
    assert stack.indexed(stack.alias) == stack.expected(THING)
    assert [change["feed"] for change in stack.changes()] == [Change.objects.get(document_id="new").feed]


def test_a_database_that_went_back_in_time_stops_publishing_until_all_is_rebuilt(
    stack: InventoryStack, start: Start
) -> None:
    start()
    write_some(6)
    publish_all(stack.relay())
    dumped = dump()
    put(f"{THING}/forgotten", {"name": "forgotten"})
    patch(f"{THING}/d1", {"size": 100})
    RelayState.objects.update(lease_until=None)
    publish_all(stack.relay("later"))
    stack.settle()
    bring_back(dumped)

    relay = stack.relay("restored")
    relay.turn()
    assert relay.trouble is not None
    assert "has gone back in time" in relay.trouble
    put(f"{THING}/since", {"name": "since"})
    relay.turn()
    assert Change.objects.get(document_id="since").feed is None
    assert "forgotten" in stack.indexed(stack.alias)

    begin_all()
    eventually(lambda: relay.turn() >= 0 and relay.leads, "it publishes again")
    publish_all(relay)
    stack.rebuild()
    stack.settle()
    assert stack.indexed(stack.alias) == stack.expected(THING)
    highest = max(change["feed"] for change in stack.changes())
    assert Change.objects.get(document_id="since").feed == highest
    assert outbox.highest_feed() == highest


@pytest.mark.parametrize("rebuilds", [1, 2], ids=["an index has the next name", "an alias has the next name"])
def test_a_rebuild_after_a_restore_takes_no_index_that_has_what_the_database_forgot(
    stack: InventoryStack, start: Start, rebuilds: int
) -> None:
    start()
    write_some(6)
    relay = stack.relay()
    publish_all(relay)
    dumped = dump()
    for _ in range(rebuilds):
        begin([THING])
        publish_all(relay)
        stack.rebuild()
        stack.indices.retire(IndexedTypes.read().indices[THING])
    put(f"{THING}/forgotten", {"name": "forgotten"})
    patch(f"{THING}/d1", {"size": 100})
    publish_all(relay)
    stack.settle()
    bring_back(dumped)

    begin_all()
    relay = stack.relay("restored")
    put(f"{THING}/since", {"name": "since"})
    publish_all(relay)
    stack.rebuild()
    put(f"{THING}/after", {"name": "after"})
    publish_all(relay)
    stack.settle()
    assert stack.indexed(stack.alias) == stack.expected(THING)
    each = IndexedTypes.read().indices[THING]
    assert list(stack.client.indices.get_alias(name=stack.alias)) == [each.physical]
    stack.indices.retire(each)
    assert list(stack.client.indices.get(index=f"{stack.alias}-*", expand_wildcards="open")) == [each.physical]


def test_a_document_that_the_mapping_refuses_is_rejected_and_the_others_are_found(
    stack: InventoryStack, start: Start
) -> None:
    start()
    relay = stack.relay()
    put(f"{THING}/first", {"name": "first"})
    publish_all(relay)
    stack.settle()
    stack.client.indices.put_mapping(index=stack.alias, properties={"odd": {"type": "long"}})
    # A schema that allows more than the index takes, as a given mapping may be.
    stack.declare(
        THING,
        {"name": TEXT, "odd": TEXT},
        mapping={"properties": {"name": {"type": "keyword"}, "odd": {"type": "long"}}},
    )
    for number in range(10):
        put(f"{THING}/g{number}", {"name": "good", "odd": str(number)})
    put(f"{THING}/bad", {"name": "bad", "odd": "no number"})
    publish_all(relay)
    stack.settle()

    assert set(stack.indexed(stack.alias)) == {f"g{number}" for number in range(10)} | {"first"}
    [letter] = stack.trail.dead_letters()
    note(letter, stack.indices)
    assert Document.objects.get(document_id="bad").index_state == IndexState.REJECTED
    put_again = patch(f"{THING}/bad", {"odd": "7"})
    note(letter, stack.indices)
    assert Document.objects.get(document_id="bad").index_state == IndexState.PENDING
    publish_all(relay)
    stack.assert_agreement()
    assert stack.indexed(stack.alias)["bad"][0] == put_again.version


def test_of_a_tree_that_its_index_refuses_the_parent_is_rejected_and_not_the_child(
    stack: InventoryStack, start: Start
) -> None:
    stack.declare("box", {"name": TEXT})
    stack.declare("part", {"name": TEXT}, parent="box")
    stack.declare("box", {"name": TEXT}, embed=["part"])
    start()
    relay = stack.relay()
    put("box/b", {"name": "box"})
    publish_all(relay)
    stack.settle()
    stack.client.indices.put_settings(index=f"{stack.alias}-box", settings={"index.mapping.nested_objects.limit": 1})
    for number in range(3):
        put(f"part/p{number}", {"name": str(number)}, parent="b")
        publish_all(relay)
    delete("part/p2")
    publish_all(relay)
    stack.settle()

    letters = stack.trail.dead_letters()
    assert len(letters) == 3
    for letter in letters:
        note(letter, stack.indices)
    assert rejected() == {"b"}
    assert set(stack.indexed(f"{stack.alias}-part")) == {"p0", "p1"}
    delete("part/p1")
    assert rejected() == set()
    publish_all(relay)
    stack.assert_agreement()


def test_what_is_published_is_in_the_cache_and_a_deletion_as_its_tombstone(
    stack: InventoryStack, settings: Settings
) -> None:
    port = ports.free(1)[0]
    with redis_server.serving(port):
        settings.GATEWAY = settings.GATEWAY.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{port}/0")})
        put(f"{THING}/a", {"name": "a"})
        patch(f"{THING}/a", {"size": 2})
        put(f"{THING}/b", {"name": "b"})
        delete(f"{THING}/b")
        publish_all(stack.relay())
        cache = document_cache()
        assert cache is not None
        found = cache.find(THING, "a")
        assert found is not None
        assert found.body is not None
        assert (found.version, orjson.loads(found.body)) == (2, {"name": "a", "size": 2})
        assert cache.find(THING, "b") == CachedDocument(THING, "b", 2, None)


def test_changes_are_published_while_the_cache_is_down(stack: InventoryStack, settings: Settings) -> None:
    nowhere = SecretStr(f"redis://127.0.0.1:{ports.free(1)[0]}/0")
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"redis_url": nowhere})
    put(f"{THING}/a", {"name": "a"})
    publish_all(stack.relay())
    assert [change["id"] for change in stack.changes()] == ["a"]
