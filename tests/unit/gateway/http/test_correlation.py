"""Request ids and trace context."""

import uuid

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from gateway.http.correlation import Correlation, correlate, current_correlation, read_correlation

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


def _correlation(**headers: str) -> Correlation:
    return read_correlation(RequestFactory().get("/", headers=headers))


@pytest.mark.parametrize("request_id", ["a", "01a1fc5d-aad8", "A.b_c-9", "x" * 128])
def test_a_well_formed_request_id_is_taken(request_id: str) -> None:
    assert _correlation(**{"X-Request-ID": request_id}).request_id == request_id


@pytest.mark.parametrize("request_id", ["", " ", "x" * 129, "a b", "a\nb", "ü", "<script>", "a;b", "a,b"])
def test_any_other_is_replaced_by_a_new_one(request_id: str) -> None:
    assert uuid.UUID(_correlation(**{"X-Request-ID": request_id}).request_id)


def test_two_requests_without_an_id_get_different_ones() -> None:
    assert _correlation().request_id != _correlation().request_id


def test_a_well_formed_trace_context_is_carried_on() -> None:
    carried = _correlation(traceparent=TRACEPARENT, **{"X-Request-ID": "r1"})
    assert carried.trace_id == TRACE_ID
    assert carried.headers == {"X-Request-ID": "r1", "traceparent": TRACEPARENT}


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        TRACE_ID,
        TRACEPARENT.upper(),
        TRACEPARENT + "-00",
        TRACEPARENT.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        TRACEPARENT.replace("0af7", "0ag7"),
    ],
)
def test_a_malformed_trace_context_is_dropped(traceparent: str) -> None:
    dropped = _correlation(traceparent=traceparent)
    assert (dropped.traceparent, dropped.trace_id) == (None, None)
    assert "traceparent" not in dropped.headers


def test_the_correlation_is_that_of_the_request_in_work_and_of_no_other() -> None:
    seen = []

    def answer(_: HttpRequest) -> HttpResponse:
        seen.append(current_correlation().request_id)
        return HttpResponse()

    for request_id in ("r1", "r2"):
        correlate(answer)(RequestFactory().get("/", headers={"X-Request-ID": request_id}))
    assert seen == ["r1", "r2"]
    with pytest.raises(LookupError):
        current_correlation()


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/search"])
def test_every_answer_returns_the_request_id(path: str, client: Client) -> None:
    assert client.get(path, headers={"X-Request-ID": "mine"})["X-Request-ID"] == "mine"


def test_even_the_answer_to_a_forged_host_has_one_and_the_safe_headers(client: Client) -> None:
    response = client.get("/schema/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.json()["code"] == "malformed"
    assert response["X-Request-ID"]
    assert response["X-Content-Type-Options"] == "nosniff"
