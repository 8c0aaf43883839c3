"""Sides of the gateway: which process answers which request."""

import orjson
import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver
from pytest_django import Settings

from gateway.serving.roles import hold_to_role, side_of
from gateway.serving.settings import ProcessRole

_REQUESTS = {
    ProcessRole.COMMAND: """
        POST /auth/token, GET /auth/me, POST /oauth/token, GET /oauth/clients, GET /admin/login/, POST /api/token/token,
        PUT /inventory/product/a, PATCH /inventory/product/a, DELETE /inventory/product/a, POST /inventory/product,
        POST /inventory/product/import, POST /inventory/plan/a/restore, PUT /inventory-types/book, POST /searches,
        DELETE /searches/1, POST /collections, PUT /subscriptions/1, POST /deliveries/1/retry, PATCH /notifications/1
    """,
    ProcessRole.QUERY: """
        GET /inventory/product, GET /inventory/product/a, HEAD /inventory/product/a, GET /inventory-types,
        GET /inventory-changes, GET /inventory-reports/reads, POST /search, GET /search, POST /translate,
        POST /complete, GET /fields, DELETE /cursors, GET /searches, GET /notifications, GET /devices/devices,
        POST /devices/devices, GET /api/ping, GET /.well-known/jwks.json, POST /inventory-of-others, GET /nothing,
        OPTIONS /inventory/product/a, GET /authors, POST /x/auth/token
    """,
    ProcessRole.ALL: """
        GET /healthz, GET /readyz, GET /metrics, GET /docs/, GET /schema/, GET /static/admin/css/base.css
    """,
}


@pytest.mark.parametrize(("side", "requests"), _REQUESTS.items())
def test_each_request_is_for_one_side_except_for_what_each_has(side: ProcessRole, requests: str) -> None:
    asked = [each.split() for each in requests.split(",")]
    assert {(method, path): side_of(method, path) for method, path in asked} == {
        (method, path): side for method, path in asked
    }


@pytest.mark.parametrize(
    ("role", "refused"), [(ProcessRole.COMMAND, ("POST", "/search")), (ProcessRole.QUERY, ("PUT", "/inventory/a/b"))]
)
def test_a_request_for_the_other_side_is_a_421_that_says_so(
    role: ProcessRole, refused: tuple[str, str], settings: Settings
) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"role": role})
    serve = hold_to_role(lambda _: HttpResponse("served"))

    def ask(method: str, path: str) -> HttpResponse:
        request = HttpRequest()
        request.method, request.path_info = method, path
        answer = serve(request)
        assert isinstance(answer, HttpResponse)
        return answer

    answer = ask(*refused)
    problem = orjson.loads(answer.content)
    assert (answer.status_code, problem["code"]) == (421, "misdirected")
    assert f"a {role} gateway" in problem["detail"]
    assert ask("GET", "/healthz").content == b"served"
    other = ("PUT", "/inventory/a/b") if role is ProcessRole.COMMAND else ("POST", "/search")
    assert ask(*other).content == b"served"


def test_every_route_that_takes_a_write_below_the_inventory_is_the_command_side_s() -> None:
    paths = [f"/{each.pattern}" for each in get_resolver().url_patterns if str(each.pattern).startswith("inventory/")]
    assert paths
    assert {side_of("POST", path) for path in paths} == {ProcessRole.COMMAND}
    assert {side_of("GET", path) for path in paths} == {ProcessRole.QUERY}
