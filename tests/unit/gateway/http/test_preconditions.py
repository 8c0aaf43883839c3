"""If-Match on things that have one ETag: changed only by who has read them as they are."""

from http import HTTPStatus

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from gateway.http.preconditions import require_match
from gateway.http.problems import Code, Problem


def _request(if_match: str | None) -> Request:
    headers = {} if if_match is None else {"If-Match": if_match}
    return Request(RequestFactory().put("/", headers=headers))


@pytest.mark.parametrize("if_match", ['"now"', "*", " * ", '"before", "now"', 'W/"before","now"'])
def test_who_has_read_the_version_that_there_is_may_change_it(if_match: str) -> None:
    require_match(_request(if_match), '"now"')


@pytest.mark.parametrize(
    ("if_match", "status", "code"),
    [
        (None, HTTPStatus.PRECONDITION_REQUIRED, Code.PRECONDITION_REQUIRED),
        ('"before"', HTTPStatus.PRECONDITION_FAILED, Code.PRECONDITION_FAILED),
        ('W/"now"', HTTPStatus.PRECONDITION_FAILED, Code.PRECONDITION_FAILED),
        ("now", HTTPStatus.BAD_REQUEST, Code.MALFORMED),
        ('"now", *', HTTPStatus.BAD_REQUEST, Code.MALFORMED),
        (f'"{"a" * 1000}"', HTTPStatus.BAD_REQUEST, Code.MALFORMED),
        ("", HTTPStatus.BAD_REQUEST, Code.MALFORMED),
    ],
)
def test_everybody_else_is_told_what_to_send(if_match: str | None, status: HTTPStatus, code: Code) -> None:
    with pytest.raises(Problem) as raised:
        require_match(_request(if_match), '"now"')
    assert (raised.value.status, raised.value.code) == (status, code)
    if status is HTTPStatus.PRECONDITION_FAILED:
        assert raised.value.headers["ETag"] == '"now"'
