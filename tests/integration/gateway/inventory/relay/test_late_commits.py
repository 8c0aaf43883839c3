"""Transactions that commit in another order than they began: none is skipped, none is numbered twice."""

import itertools
import random
from datetime import UTC, datetime

import orjson
import psycopg
from pytest_django import Settings

from contracts.query_event.event import new_event_id
from gateway.inventory.models import Change
from tests.support.consumer_process import Start
from tests.support.inventory import AUTHOR
from tests.support.inventory_stack import THING, InventoryStack, publish_all
from tests.support.postgresql import PostgreSQL
from tests.support.trail import InventoryTrail

AT_ONCE = 25
ROUNDS = 40

_DOCUMENT = (
    "INSERT INTO inventory_document (type, document_id, version, tree_version, body, schema_version, created_at, "
    "updated_at, index_state) VALUES (%s, %s, 1, 1, %s, 1, %s, %s, 'pending')"
)
_CHANGE = (
    "INSERT INTO inventory_change (change_id, type, document_id, root_type, root_id, version, op, at, actor, "
    "request_id, event_metadata, changed, body) "
    "VALUES (%s, %s, %s, %s, %s, 1, 'create', %s, 'adapter', 'r1', %s, %s, %s)"
)


def begin(session: "psycopg.Connection[object]", name: str) -> None:
    """Write a document and its change, and leave the transaction open."""
    now, body = datetime.now(UTC), orjson.dumps({"name": name}).decode()
    session.execute(_DOCUMENT, [THING, name, body, now, now])
    metadata = orjson.dumps(AUTHOR.metadata).decode()
    session.execute(_CHANGE, [new_event_id(), THING, name, THING, name, now, metadata, '[""]', body])


def test_changes_are_numbered_one_to_n_in_whatever_order_they_are_committed(
    server: PostgreSQL, trail: InventoryTrail, settings: Settings, start: Start
) -> None:
    stack = InventoryStack(trail, settings)
    start()
    relay = stack.relay()
    order = random.Random(1)
    sessions = [psycopg.connect(server.url) for _ in range(AT_ONCE)]
    late = 0
    for number in range(ROUNDS):
        for position, session in enumerate(sessions):
            begin(session, f"r{number:03}-{position:02}")
        for position, session in enumerate(order.sample(sessions, AT_ONCE)):
            session.commit()
            if position % 4 == 0:
                relay.turn()
    for session in sessions:
        session.close()
    publish_all(relay)

    rows = list(Change.objects.order_by("feed").values_list("feed", "sequence"))
    assert [feed for feed, _ in rows] == list(range(1, AT_ONCE * ROUNDS + 1))
    late = sum(before > after for (_, before), (_, after) in itertools.pairwise(rows))
    assert late > ROUNDS, "transactions committed late"
    stack.assert_agreement()
