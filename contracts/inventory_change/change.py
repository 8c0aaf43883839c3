"""The inventory's change: the contract between the gateway's relay, which produces it, and its readers.

These types are its one description; ``schema/inventory-change.v1.json`` says the same for other programs, and
``examples/`` has golden changes. Optional members may be added without a new version: a reader ignores members that it
does not know. A record is one change in CloudEvents 1.0 Kafka binary mode: this JSON object as its value, the
CloudEvents attributes as its headers; its key names the root of the document's tree, so that a tree's changes stay in
their order.
"""

# pylint: disable=too-few-public-methods  # types that only carry data, as dataclasses do

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

SCHEMA_VERSION: Final = 1

MAX_CHANGE_BYTES = 4 * 1024 * 1024 - 64 * 1024
"""No encoded change is longer, so that a record always passes the topic's ``max.message.bytes``."""

MAX_RECORD_BYTES = 4 * 1024 * 1024
"""The topic's ``max.message.bytes``: value, key and headers."""

VERSION_HEADER = "sluice_version"
"""Header with the document's version, which a dead letter has even where its value is cut."""

FEED_HEADER = "sluice_feed"
"""Header with the highest number that was given before the record was written: that of the change, if it has one."""

_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@~-]{0,127}\Z")]
_Version = Annotated[int, Meta(ge=1, le=2**53 - 1)]


SNAPSHOT: Final = "snapshot"
"""Operation of what is no change: the document as it is, for an index that lacks it.

It has no number, and other readers skip it. The operations of changes are ``gateway.inventory.models.Operation``.
"""


# gc=False: no member can refer back to its owner, so the collector need not follow hundreds of thousands of them.
class IndexedDocument(Struct, gc=False):
    """Document that Elasticsearch shall hold in an index: in this version, or a later one; null: deleted."""

    index: Annotated[str, Meta(min_length=1, max_length=255)]
    id: _Name
    version: _Version
    document: Raw


class InventoryChange(Struct, gc=False):  # pylint: disable=too-many-instance-attributes  # the contract has as many
    """One version of a document.

    ``feed`` numbers the changes without a gap, in the order in which they are published; a snapshot has none.
    ``changed`` has JSON pointers to the members that differ from the version before. ``documents`` are what
    Elasticsearch shall hold, embedding parents included.
    """

    schema_version: Literal[1]
    change_id: str
    feed: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None
    type: _Name
    id: _Name
    version: _Version
    op: Annotated[str, Meta(pattern=r"^[a-z_]+\Z", max_length=64)]
    at: str
    actor: Annotated[str, Meta(min_length=1, max_length=256)] | None
    request_id: Annotated[str, Meta(min_length=1, max_length=128)]
    changed: list[str]
    document: Raw
    documents: list[IndexedDocument]


encode = msgspec.json.Encoder().encode


def record_key(root_type: str, root_id: str) -> str:
    """The record's key: the root of the document's tree."""
    return f"{root_type}/{root_id}"


def headers(change: InventoryChange, feed: int) -> list[tuple[str, bytes]]:
    """Make the record's headers: the CloudEvents attributes, ``VERSION_HEADER`` and ``FEED_HEADER``.

    Args:
        change: the record's value.
        feed: the highest number that was given so far.
    """
    attributes = [
        ("ce_specversion", "1.0"),
        ("ce_id", change.change_id),
        ("ce_type", f"inventory.{change.op}"),
        ("ce_source", "/sluice/gateway"),
        ("ce_subject", f"{change.type}/{change.id}"),
        ("ce_time", change.at),
        ("content-type", "application/json"),
        (VERSION_HEADER, str(change.version)),
        (FEED_HEADER, str(feed)),
    ]
    return [(name, text.encode("ascii", "replace")) for name, text in attributes]
