"""Elasticsearch's answer to a bulk request, read into an outcome for each item."""

import json
from typing import Any

import pytest

from indexing.bulk_response import read_items
from indexing.verdict import DONE, Item

_ERROR = {"type": "mapper_parsing_exception", "reason": "failed to parse"}


def _read(answer: Any, operations: int) -> list[Item]:
    return read_items(json.dumps(answer, separators=(",", ":")).encode(), operations)


def test_an_answer_without_errors_is_done_item_by_item() -> None:
    items = [{"create": {"status": 201}}, {"delete": {"status": 200}}]
    assert _read({"errors": False, "items": items}, 2) == [DONE, DONE]


@pytest.mark.parametrize("errors", [False, True])
@pytest.mark.parametrize("operations", [1, 3])
def test_an_answer_to_another_number_of_operations_is_refused(errors: bool, operations: int) -> None:
    items = [{"create": {"status": 201}}, {"create": {"status": 201}}]
    with pytest.raises(ValueError, match=f"2 items for {operations} operations"):
        _read({"errors": errors, "items": items}, operations)


@pytest.mark.parametrize("action", ["create", "index", "delete"])
def test_status_and_error_of_every_action_are_read_in_the_order_of_the_operations(action: str) -> None:
    items = [{action: {"status": 201}}, {action: {"status": 400, "error": _ERROR}}, {action: {"status": 200}}]
    assert _read({"errors": True, "items": items}, 3) == [DONE, (400, _ERROR), DONE]


def test_a_delete_of_what_is_not_there_keeps_its_404() -> None:
    items = [{"delete": {"status": 404}}, {"index": {"status": 429, "error": _ERROR}}]
    assert _read({"errors": True, "items": items}, 2) == [(404, None), (429, _ERROR)]


def test_a_success_with_an_error_is_not_done() -> None:
    items = [{"create": {"status": 201, "error": _ERROR}}]
    assert _read({"errors": True, "items": items}, 1) == [(201, _ERROR)]


@pytest.mark.parametrize("item", [{"update": {"status": 200}}, {}])
def test_an_item_of_an_unknown_action_makes_the_answer_unusable(item: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown action"):
        _read({"errors": True, "items": [{"create": {"status": 201}}, item]}, 2)


@pytest.mark.parametrize(
    "answer",
    [
        {"error": _ERROR, "status": 503},
        {"errors": "yes", "items": []},
        {"errors": True, "items": [{"create": 1}]},
        {"errors": False, "took": 1},
        [],
        "text",
    ],
)
def test_any_other_answer_is_refused(answer: Any) -> None:
    with pytest.raises(ValueError, match="not a bulk answer"):
        _read(answer, 1)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_text_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="not a bulk answer"):
        read_items(body, 1)
