"""Elasticsearch's answer to a bulk request, read into an outcome for each item."""

import json
from typing import Any

import pytest

from indexing.bulk_response import BulkAnswer, BulkSerializer
from indexing.verdict import DONE

_ERROR = {"type": "mapper_parsing_exception", "reason": "failed to parse"}


def _read(answer: Any) -> Any:
    return BulkSerializer().json_loads(json.dumps(answer).encode())


def test_an_answer_without_errors_is_done_item_by_item() -> None:
    answer = _read({"errors": False, "items": [{"create": {"status": 201}}, {"delete": {"status": 200}}]})
    assert isinstance(answer, BulkAnswer)
    assert answer.outcomes() == [DONE, DONE]


@pytest.mark.parametrize("action", ["create", "index", "delete"])
def test_status_and_error_of_every_action_are_read_in_the_order_of_the_operations(action: str) -> None:
    items = [{action: {"status": 201}}, {action: {"status": 400, "error": _ERROR}}, {action: {"status": 200}}]
    assert _read({"errors": True, "items": items}).outcomes() == [DONE, (400, _ERROR), DONE]


def test_a_delete_of_what_is_not_there_keeps_its_404() -> None:
    items = [{"delete": {"status": 404}}, {"index": {"status": 429, "error": _ERROR}}]
    assert _read({"errors": True, "items": items}).outcomes() == [(404, None), (429, _ERROR)]


def test_a_success_with_an_error_is_not_done() -> None:
    items = [{"create": {"status": 201, "error": _ERROR}}]
    assert _read({"errors": True, "items": items}).outcomes() == [(201, _ERROR)]


@pytest.mark.parametrize("item", [{"update": {"status": 200}}, {}])
def test_an_item_of_an_unknown_action_makes_the_answer_unusable(item: dict[str, Any]) -> None:
    assert _read({"errors": True, "items": [{"create": {"status": 201}}, item]}).outcomes() is None


@pytest.mark.parametrize(
    "answer",
    [{"error": _ERROR, "status": 503}, {"errors": "yes", "items": []}, {"errors": True, "items": [{"create": 1}]}],
)
def test_what_is_no_answer_to_a_bulk_request_is_read_as_plain_objects(answer: dict[str, Any]) -> None:
    assert _read(answer) == answer
