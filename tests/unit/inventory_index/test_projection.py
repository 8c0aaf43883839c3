"""Operations of a change: each document in the index that it names, by its external version."""

from pathlib import Path

import orjson
import pytest
from confluent_kafka import Message

from indexing.projection import Place, Unreadable
from inventory_index.projection import InventoryProjection
from tests.support.inventory_change import EXAMPLES

PLACE = Place(0, 0, 0)


def lines(name: str) -> list[list[dict[str, object]]]:
    """The lines of each operation of an example."""
    value = (EXAMPLES[0].parent / f"{name}.json").read_bytes()
    made = InventoryProjection().operations(Message(value=value), PLACE)
    assert all(operation.endswith(b"\n") for operation in made)
    return [[orjson.loads(line) for line in operation.splitlines()] for operation in made]


def target(index: str, document_id: str, version: int) -> dict[str, object]:
    """The target of an operation."""
    return {"_index": index, "_id": document_id, "version": version, "version_type": "external"}


def test_a_document_is_written_to_every_index_that_the_change_names() -> None:
    document = {"Hostname": "octoxlabs01", "Ip": ["10.20.0.1"], "Site": "ankara"}

    assert lines("patch.rebuild") == [
        [{"index": target("devices-000001", "octoxlabs01", 8)}, document],
        [{"index": target("devices-000002", "octoxlabs01", 8)}, document],
    ]


def test_a_child_comes_with_the_parent_that_embeds_it() -> None:
    child, parent = lines("create.child")

    assert child[0] == {"index": target("plan-services-000001", "gold:knee", 1)}
    assert parent == [{"index": target("plans-000001", "gold", 4)}, {"name": "Gold", "plan-service": [child[1]]}]


def test_a_deletion_has_one_line() -> None:
    assert lines("delete") == [[{"delete": target("devices-000001", "octoxlabs01", 9)}]]


def test_what_is_no_change_is_unreadable_and_says_why() -> None:
    with pytest.raises(Unreadable, match="not_json"):
        InventoryProjection().operations(Message(value=b"no change"), PLACE)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_document_breaks_a_line_of_the_body(path: Path) -> None:
    value = orjson.dumps(orjson.loads(path.read_bytes()), option=orjson.OPT_INDENT_2)
    for operation in InventoryProjection().operations(Message(value=value), PLACE):
        assert operation.count(b"\n") <= 2
