"""Elasticsearch's answer to a bulk request, read into types: several times faster than into plain objects.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

# pylint: disable=too-few-public-methods  # types that only carry data, as dataclasses do

from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from indexing.verdict import DONE, Item

PARTS = "errors,items.*.status,items.*.error"
"""The parts of the answer that are read, as ``filter_path``."""

_ALL_DONE = b'{"errors":false,'
_STATUS = b'"status":'
_SUCCESSES = frozenset((HTTPStatus.OK, HTTPStatus.CREATED))


class _Item(Struct, gc=False):
    status: int
    error: dict[str, Any] | None = None


class _Action(Struct, gc=False):
    create: _Item | UnsetType = UNSET
    index: _Item | UnsetType = UNSET
    delete: _Item | UnsetType = UNSET


class _Answer(Struct, gc=False):
    errors: bool
    items: list[_Action]


_decode = msgspec.json.Decoder(_Answer).decode


def read_items(body: bytes | bytearray, operations: int) -> list[Item]:
    """Read status and error of each item, in the order of the operations.

    Args:
        body: the answer as ``PARTS`` leaves it.
        operations: how many were sent.

    Raises:
        ValueError: it is no answer to so many operations.
    """
    # Without errors there is nothing to read but how many there are; a text, which could hold the same, is in errors.
    if body.startswith(_ALL_DONE) and body.count(_STATUS) == operations:
        return [DONE] * operations
    try:
        items = [_item(action) for action in _decode(body).items]
    except msgspec.DecodeError:
        raise ValueError("the answer is not a bulk answer") from None
    if len(items) != operations:
        raise ValueError(f"the answer has {len(items)} items for {operations} operations")
    return items


def _item(action: _Action) -> Item:
    item = action.create or action.index or action.delete
    if not item:
        raise ValueError("the answer has an item of an unknown action")
    return DONE if item.status in _SUCCESSES and item.error is None else (item.status, item.error)
