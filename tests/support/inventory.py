"""The inventory's write side, driven without HTTP."""

from typing import Any

from gateway.http.preconditions import ETags
from gateway.inventory import writes
from gateway.inventory.batch import Author, Written
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.preconditions import NONE, Preconditions
from gateway.inventory.transactions import transact
from gateway.inventory.type_changes import put_type
from gateway.inventory.writes import Place

AUTHOR = Author(
    "adapter",
    "r1",
    {
        "request_id": "r1",
        "trace_id": None,
        "client_ip": "192.0.2.10",
        "user_agent": None,
        "auth_scheme": "bearer-jwt",
        "service": "gateway",
        "service_version": "0.1.0",
    },
)
TEXT = {"type": "string"}


def definition(properties: Any = None, **members: Any) -> dict[str, Any]:
    """The declaration of a type "things", of objects with the properties."""
    schema = {"type": "object", "properties": properties or {"name": TEXT}, "additionalProperties": False}
    return {
        "schema": schema,
        "index": "things",
        "key": None,
        "public": False,
        "parent": None,
        "embed": [],
        "references": {},
        "mapping": None,
        "notify": ["admin"],
    } | members


def declare(name: str, properties: Any = None, **members: Any) -> None:
    """Declare a type, with an index of its name unless another is given."""
    put_type(name, definition(properties, **{"index": f"{name}-index"} | members), accept_existing=False)


def if_match(version: int) -> Preconditions:
    """``If-Match`` with a version."""
    tags = frozenset([str(version)])
    return Preconditions(if_match=ETags(any=False, strong=tags, all=tags))


ANY = Preconditions(if_match=ETags(any=True, strong=frozenset(), all=frozenset()))
"""``If-Match: *``."""
NEW = Preconditions(if_none_match=ETags(any=True, strong=frozenset(), all=frozenset()))
"""``If-None-Match: *``."""


def place(type_: str, document_id: str, parent_id: str | None = None) -> Place:
    """The place of a document."""
    catalogue = read_catalogue()
    return Place(catalogue, catalogue.types[type_], document_id, parent_id)


def put(where: str, value: Any, preconditions: Preconditions = NONE, parent: str | None = None) -> Written:
    """Create or replace the document "type/id"."""
    type_, _, document_id = where.partition("/")
    return transact(lambda: writes.put(place(type_, document_id, parent), value, preconditions, AUTHOR))


def patch(where: str, value: Any, preconditions: Preconditions = ANY) -> Written:
    """Patch the document "type/id"."""
    type_, _, document_id = where.partition("/")
    return transact(lambda: writes.patch(place(type_, document_id), value, preconditions, AUTHOR))


def delete(where: str, preconditions: Preconditions = ANY) -> Written:
    """Delete the document "type/id"."""
    type_, _, document_id = where.partition("/")
    return transact(lambda: writes.delete(place(type_, document_id), preconditions, AUTHOR))


def restore(where: str, version: int, preconditions: Preconditions = NONE) -> Written:
    """Restore the document "type/id"."""
    type_, _, document_id = where.partition("/")
    return transact(lambda: writes.restore(place(type_, document_id), version, preconditions, AUTHOR))
