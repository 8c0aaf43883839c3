"""Projection of the inventory's changes: each says what the indices shall hold, in which version.

External versions make repeating harmless: what is there in that version or a later one is left alone.
https://www.elastic.co/docs/reference/elasticsearch/rest-apis/optimistic-concurrency-control
"""

import orjson
from confluent_kafka import Message

from contracts.invalid import InvalidRecord
from contracts.inventory_change.change import IndexedDocument
from contracts.inventory_change.progress import INDEX
from contracts.inventory_change.reader import decode
from contracts.raw_json import NULL
from elastic.exchange import ElasticsearchExchange
from indexing.projection import Place, Unreadable
from indexing.readiness import unready

_NULL = bytes(NULL)


class InventoryProjection:
    """Writes and deletes the documents that a change names, each in the index that it names."""

    name = "inventory-index"

    def operations(self, record: Message, place: Place) -> list[bytes]:
        """Make an operation for each document.

        Raises:
            Unreadable: the record is not a change.
        """
        del place
        try:
            change = decode(record.value())
        except InvalidRecord as error:
            raise Unreadable(error.reason, error.detail) from None
        return [_lines(each) for each in change.documents]

    def unready(self, elasticsearch: ElasticsearchExchange) -> str | None:
        """Say what keeps documents out, or None; their own indices are made before a change names them."""
        return unready(elasticsearch, INDEX)


def _lines(entry: IndexedDocument) -> bytes:
    target = {"_index": entry.index, "_id": entry.id, "version": entry.version, "version_type": "external"}
    document = bytes(entry.document)
    if document == _NULL:
        return orjson.dumps({"delete": target}) + b"\n"
    return orjson.dumps({"index": target}) + b"\n" + document + b"\n"
