"""An index is made again while writes and searches go on, whatever ends the process on the way."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command

from gateway.inventory.indices import Indices
from gateway.inventory.models import Document, IndexState, InventoryType
from gateway.inventory.rebuild import begin
from gateway.inventory.rejections import note
from gateway.inventory.relay.composition import IndexedTypes
from gateway.inventory.relay.producer import WorkerProducer
from gateway.inventory.relay.publisher import Publisher
from gateway.inventory.relay.relay import Relay
from tests.support.consumer_process import Start
from tests.support.inventory import TEXT, delete, patch, put
from tests.support.inventory_stack import PROPERTIES, THING, InventoryStack, Killed, KilledAt, publish_all
from tests.support.waiting import eventually

DOCUMENTS = 600


@pytest.fixture
def relay(stack: InventoryStack, start: Start) -> Relay:
    """A relay that has published some documents, which are indexed."""
    start()
    relay = stack.relay()
    for number in range(DOCUMENTS):
        put(f"{THING}/d{number}", {"name": str(number)})
    for number in range(0, 30, 3):
        delete(f"{THING}/d{number}")
    publish_all(relay)
    stack.settle()
    stack.client.indices.refresh(index=stack.alias)
    return relay


def physical(stack: InventoryStack) -> list[str]:
    """The indices that the alias leads to."""
    return list(stack.client.indices.get_alias(name=stack.alias))


def write_meanwhile(relay: Relay, round_: int) -> None:
    """Create, change and delete documents, and publish that."""
    put(f"{THING}/new{round_}", {"name": "new"})
    patch(f"{THING}/d{100 + round_}", {"name": f"round {round_}"})
    delete(f"{THING}/d{200 + round_}")
    publish_all(relay)


def test_a_new_index_takes_the_place_of_the_old_one_while_writes_and_searches_go_on(
    stack: InventoryStack, relay: Relay
) -> None:
    before = physical(stack)
    rounds: list[int] = []
    publisher = stack.publisher()

    class Busy:  # pylint: disable=too-few-public-methods  # it publishes
        """A publisher beside which others write and search."""

        def publish(self, *arguments: Any) -> Any:
            """Publish, between writes."""
            write_meanwhile(relay, len(rounds))
            rounds.append(stack.client.count(index=stack.alias)["count"])
            places = publisher.publish(*arguments)
            write_meanwhile(relay, len(rounds))
            rounds.append(stack.client.count(index=stack.alias)["count"])
            return places

    begin([THING])
    write_meanwhile(relay, 50)
    stack.rebuild(Busy())  # type: ignore[arg-type]  # it publishes

    assert len(rounds) >= 6
    assert min(rounds) >= DOCUMENTS - 10 - len(rounds)
    assert physical(stack) == [f"{stack.alias}-000002"] != before
    stack.assert_agreement()
    put(f"{THING}/after", {"name": "after"})
    publish_all(relay)
    stack.assert_agreement()


@pytest.mark.parametrize("step", ["filling", "alias", "comparison", "row"])
def test_a_rebuild_that_is_killed_goes_on_where_it_was(
    stack: InventoryStack, relay: Relay, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin([THING])
    producer = WorkerProducer(stack.kafka)
    publisher = Publisher(producer, stack.trail.topic, stack.audit_topic)

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        if step == "comparison":
            patched.setattr("gateway.inventory.rebuild.note_comparison", die)
        elif step == "alias":
            patched.setattr(Indices, "point_to", die)
        elif step == "row":
            pointed: Callable[..., None] = Indices.point_to

            def point_and_die(*arguments: Any) -> None:
                pointed(*arguments)
                raise Killed

            patched.setattr(Indices, "point_to", point_and_die)
        killed = KilledAt(publisher, producer, 4) if step == "filling" else publisher
        with pytest.raises(Killed):
            stack.rebuild(killed)  # type: ignore[arg-type]  # it publishes
    assert len(physical(stack)) == 1
    assert InventoryType.objects.get(name=THING).building_index == f"{stack.alias}-000002"
    write_meanwhile(relay, 1)
    stack.settle()
    assert stack.indexed(stack.alias) == stack.expected(THING)

    begin([THING])
    stack.rebuild()
    assert physical(stack) == [f"{stack.alias}-000002"]
    stack.assert_agreement()


def test_the_old_index_goes_when_nothing_reads_it_and_what_still_names_it_is_written_to_the_new(
    stack: InventoryStack, relay: Relay
) -> None:
    del relay
    old = f"{stack.alias}-000001"
    begin([THING])
    cursor = stack.client.open_point_in_time(index=stack.alias, keep_alive="1m")["id"]
    late = stack.trail.record_of(old, "late", 1)
    stack.rebuild()
    each = IndexedTypes.read().indices[THING]

    assert stack.indices.retire(each) == []
    assert len(stack.client.search(pit={"id": cursor}, size=1)["hits"]["hits"]) == 1
    stack.client.close_point_in_time(id=cursor)
    assert stack.indices.retire(each) == [old]
    assert physical(stack) == [f"{stack.alias}-000002"]
    stack.trail.produce_raw(late)
    eventually(lambda: "late" in stack.indexed(stack.alias), "the late document in the new index")
    assert stack.trail.dead_letters() == []


def test_an_index_that_others_begin_meanwhile_is_left_alone(stack: InventoryStack, relay: Relay) -> None:
    stale = IndexedTypes.read().indices[THING]
    begin([THING])
    # It is not there yet, and nobody has lost it.
    assert stack.indices.lost(IndexedTypes.read()) == []
    write_meanwhile(relay, 1)

    assert stack.indices.retire(stale) == []
    assert stack.client.indices.exists(index=f"{stack.alias}-000002")
    stack.rebuild()
    assert physical(stack) == [f"{stack.alias}-000002"]
    stack.assert_agreement()


def test_a_new_index_that_has_what_the_database_does_not_is_not_put_in_place(
    stack: InventoryStack, relay: Relay
) -> None:
    begin([THING])
    write_meanwhile(relay, 1)
    phantom = {"name": "phantom"}
    stack.client.index(index=f"{stack.alias}-000002", id="phantom", document=phantom, refresh=True)
    stack.rebuild()

    assert physical(stack) == [f"{stack.alias}-000003"]
    stack.assert_agreement()


def test_a_schema_that_only_adds_is_there_before_the_first_document_that_uses_it(
    stack: InventoryStack, relay: Relay
) -> None:
    stack.declare(THING, {**PROPERTIES, "colour": TEXT})
    put(f"{THING}/red", {"name": "r", "colour": "red"})
    publish_all(relay)

    stack.assert_agreement()
    assert physical(stack) == [f"{stack.alias}-000001"]


def test_another_schema_makes_the_index_again_and_says_what_it_refuses(stack: InventoryStack, relay: Relay) -> None:
    kinds = {"name": {"type": "keyword"}, "size": {"type": "keyword"}}
    stack.declare(THING, PROPERTIES, mapping={"properties": kinds})
    assert InventoryType.objects.get(name=THING).building_index == f"{stack.alias}-000002"
    put(f"{THING}/sized", {"name": "s", "size": 3})
    publish_all(relay)
    stack.rebuild()
    stack.assert_agreement()

    stack.declare(THING, PROPERTIES, mapping={"properties": {"name": {"type": "long"}, "size": {"type": "long"}}})
    put(f"{THING}/words", {"name": "no number"})
    publish_all(relay)
    stack.rebuild()
    refused = set(Document.objects.filter(index_state=IndexState.REJECTED).values_list("document_id", flat=True))
    assert refused == {"words", "sized"}
    assert stack.indexed(stack.alias).keys() == stack.expected(THING).keys() - refused


def test_what_the_old_index_refuses_while_a_new_one_is_made_is_rejected_until_that_is_in_place(
    stack: InventoryStack, relay: Relay
) -> None:
    stack.declare(THING, {"name": TEXT, "size": TEXT})
    put(f"{THING}/sized", {"name": "s", "size": "large"})
    publish_all(relay)
    stack.settle()
    [letter] = stack.trail.dead_letters()
    note(letter, stack.indices)
    assert Document.objects.get(document_id="sized").index_state == IndexState.REJECTED

    stack.rebuild()
    stack.assert_agreement()
    assert not Document.objects.filter(index_state=IndexState.REJECTED).exists()
    # A letter that is read late is of an index that nobody searches any more.
    note(letter, stack.indices)
    assert not Document.objects.filter(index_state=IndexState.REJECTED).exists()


def test_a_document_that_a_repair_brings_into_the_index_is_rejected_no_more(
    stack: InventoryStack, relay: Relay
) -> None:
    del stack, relay
    Document.objects.filter(document_id__in=["d1", "d2"]).update(index_state=IndexState.REJECTED)
    # As an index has it that was mended, or brought back, behind everybody's back.
    Document.objects.filter(document_id="d1").update(version=5)
    call_command("verify", THING, "--repair")

    assert not Document.objects.filter(index_state=IndexState.REJECTED).exists()


def test_verify_finds_what_differs_and_repair_mends_it(stack: InventoryStack, relay: Relay) -> None:
    del relay
    index, client = physical(stack)[0], stack.client
    each = IndexedTypes.read().indices[THING]
    repairer = stack.repairer()
    assert repairer.verify(each, index).left == {}
    now = datetime.now(UTC)
    rows = Document.objects.filter(type=THING)
    rows.filter(document_id="d1").update(version=5, body='{"name":"later"}')
    rows.filter(document_id="d2").update(version=5, body=None)
    rows.create(
        type=THING,
        document_id="lost",
        version=3,
        tree_version=3,
        body="{}",
        schema_version=1,
        created_at=now,
        updated_at=now,
    )
    client.index(index=index, id="phantom", document={"name": "phantom"})

    found = repairer.verify(each, index)
    assert sorted(found.left) == ["d1", "d2", "lost"]
    assert found.ahead == ["phantom"]
    mended = repairer.repair(each, index)
    assert (mended.differed, mended.left, mended.ahead) == (3, {}, ["phantom"])
    assert stack.indexed(stack.alias) == stack.expected(THING) | {"phantom": (1, {"name": "phantom"})}
