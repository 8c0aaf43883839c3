"""Preconditions of requests on documents."""

from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from gateway.http.problems import Problem
from gateway.inventory.preconditions import ABSENT, Preconditions, State

LIVE = State(7, is_live=True)
DELETED = State(7, is_live=False)


def _of(**headers: str) -> Preconditions:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Preconditions.of(Request(RequestFactory().put("/", headers=named)))


def _status(check: Any, state: State) -> int | None:
    try:
        check(state)
    except Problem as problem:
        return int(problem.status)
    return None


@pytest.mark.parametrize(
    ("headers", "absent", "live", "deleted"),
    [
        ({}, None, 428, None),
        ({"If_None_Match": "*"}, None, 412, None),
        ({"If_Match": '"7"'}, 412, None, 412),
        ({"If_Match": '"6"'}, 412, 412, 412),
        ({"If_Match": '"5", "7"'}, 412, None, 412),
        ({"If_Match": "*"}, 412, None, 412),
        ({"If_Match": 'W/"7"'}, 412, 412, 412),
        ({"If_Match": '"7"', "If_None_Match": "*"}, 412, 412, 412),
        ({"If_None_Match": '"6"'}, None, 400, None),
    ],
)
def test_a_put_writes_what_the_table_says(
    headers: dict[str, str], absent: int | None, live: int | None, deleted: int | None
) -> None:
    check = _of(**headers).check_put
    assert [_status(check, state) for state in (ABSENT, LIVE, DELETED)] == [absent, live, deleted]


@pytest.mark.parametrize(
    ("headers", "live"),
    [({}, 428), ({"If_Match": '"7"'}, None), ({"If_Match": '"6"'}, 412), ({"If_Match": "*"}, None)],
)
def test_a_patch_and_a_deletion_change_what_the_table_says(headers: dict[str, str], live: int | None) -> None:
    check = _of(**headers).check_change
    assert [_status(check, state) for state in (ABSENT, LIVE, DELETED)] == [404, live, 410]


def test_a_version_that_does_not_match_is_answered_with_the_current_etag() -> None:
    with pytest.raises(Problem) as refused:
        _of(If_Match='"6"').check_change(LIVE)
    assert refused.value.headers == {"ETag": '"7"'}


@pytest.mark.parametrize(
    ("header", "fresh"),
    [('"7"', True), ('W/"7"', True), ("*", True), ('"6"', False), ('"6", "7"', True), ('"77"', False)],
)
def test_a_reader_that_has_the_version_is_told_so(header: str, fresh: bool) -> None:
    assert _of(If_None_Match=header).is_fresh(LIVE) is fresh


@pytest.mark.parametrize("header", ["7", '"7', "", ",", '"7" "8"', "W/7", '"7",', '"a"' + ', "a"' * 400])
def test_a_header_that_is_no_list_of_etags_is_malformed(header: str) -> None:
    with pytest.raises(Problem) as refused:
        _of(If_Match=header)
    assert refused.value.status == 400
