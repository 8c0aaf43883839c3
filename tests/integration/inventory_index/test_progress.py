"""The indexer tells how far it is, and never more than is true."""

from typing import Any

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from contracts.inventory_change.progress import INDEX, progress_id
from tests.support.consumer_process import Start
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.faulty_proxy import Reply
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually


def progress(trail: Trail) -> dict[int, int]:
    """The offsets by partition, as a reader who waits sees them; none before any is written."""
    admin = AdminClient({"bootstrap.servers": trail.bootstrap})
    topic_id = str(admin.describe_topics(TopicCollection([trail.topic]))[trail.topic].result().topic_id)
    ids = {number: progress_id(topic_id, number) for number in range(6)}
    if not trail.client.indices.exists(index=INDEX):
        return {}
    found = trail.client.mget(index=INDEX, ids=list(ids.values()))["docs"]
    offsets: dict[str, Any] = {each["_id"]: each for each in found if each.get("found")}
    for each in offsets.values():
        assert each["_version"] == each["_source"]["offset"]
    return {number: offsets[name]["_source"]["offset"] for number, name in ids.items() if name in offsets}


def test_progress_reaches_the_end_of_each_partition_dead_letters_included(trail: Trail, start: Start) -> None:
    trail.produce(event(number) for number in range(100))
    trail.produce_raw(b"no change", partition=2)
    ends = {number: len(trail.records(trail.topic, number)) for number in range(6)}
    start()

    eventually(lambda: progress(trail) == ends, "the progress of every partition at its end")
    assert trail.all_indexed()
    assert len(trail.dead_letters()) == 1
    start()
    trail.produce([event()], partition=4)
    eventually(lambda: progress(trail)[4] == len(trail.records(trail.topic, 4)), "progress of the new change")


def test_progress_says_nothing_of_what_is_not_indexed(trail: Trail, start: Start, proxy: FaultyElasticsearch) -> None:
    start(ELASTICSEARCH_URL=proxy.url).wait_until_ready()
    trail.produce([event(1)], partition=1)
    eventually(trail.all_indexed, "the first document")
    before = len(trail.records(trail.topic, 1))
    eventually(lambda: progress(trail).get(1) == before, "its progress")
    second = event(2)
    proxy.fault = lambda body: Reply(503, b"{}") if second.event_id.encode() in body else None
    trail.produce([second], partition=1)
    eventually(lambda: any(second.event_id.encode() in body for body in proxy.bodies), "an attempt")
    trail.produce([event(3)], partition=3)

    end = len(trail.records(trail.topic, 3))
    eventually(lambda: progress(trail).get(3) == end, "progress of the other partition")
    assert progress(trail)[1] == before
    proxy.fault = None
    eventually(lambda: progress(trail)[1] == len(trail.records(trail.topic, 1)), "progress of both")
    assert trail.all_indexed()


def test_an_index_that_is_missing_stalls_the_indexer_and_loses_nothing(trail: Trail, start: Start) -> None:
    name = f"{trail.index_prefix}000001"
    # As the gateway's worker does it, so that no index is made without its mapping.
    forbidding = {"index_patterns": [name], "priority": 500, "allow_auto_create": False, "template": {}}
    trail.client.indices.put_index_template(name=name, body=forbidding)
    trail.produce(event(number) for number in range(20))
    indexer = start()

    eventually(lambda: "index_not_found_exception" in indexer.get("/readyz")[1], "an unready indexer that says why")
    assert trail.dead_letters() == []
    trail.client.indices.create(index=name)
    trail.client.indices.delete_index_template(name=name)
    eventually(trail.all_indexed, "all documents")
