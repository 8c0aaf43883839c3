"""An answer of the application to every content of a header."""

import io
from http import HTTPStatus
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from gateway.serving.wsgi import application


def _status(**environ: Any) -> HTTPStatus:
    setup_testing_defaults(environ)
    answered: list[str] = []
    application(
        environ | {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "wsgi.input": io.BytesIO(b"{}")},
        lambda status, _headers: answered.append(status),
    )
    return HTTPStatus(int(answered[0].split()[0]))


# Django looks after its database connections around every request.
@pytest.mark.django_db
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset*0=a; charset*=%ff'",
        "application/json; charset*=utf-8''%00",
        "application/json; charset*=x''y",
        ";",
    ],
)
def test_a_content_type_that_cannot_be_read_is_no_fault_of_the_gateways(content_type: str) -> None:
    status = _status(REQUEST_METHOD="POST", PATH_INFO="/search", CONTENT_TYPE=content_type)
    assert status is HTTPStatus.UNAUTHORIZED
