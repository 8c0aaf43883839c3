"""nginx as it is deployed, over TLS, in front of two gateways."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import psutil
import pytest
import urllib3

from tests.support import edge as nginx
from tests.support.edge import Edge
from tests.support.gateway import (
    AUTHORIZATION,
    INDEX,
    MANY,
    MANY_DOCUMENTS,
    Backing,
    FindEvents,
    Gateway,
    configured_gateway,
)
from tests.support.waiting import eventually

PASSWORD = "correct horse battery staple"


def _configured(home: Path, backing: Backing) -> Gateway:
    return configured_gateway(
        home, backing, GATEWAY_TRUSTED_PROXIES="127.0.0.1/32", GATEWAY_SEARCH_INDICES=f"{INDEX},{MANY}"
    )


@pytest.fixture(scope="module")
def gateways(
    tmp_path_factory: pytest.TempPathFactory, backing: Backing, many: str
) -> Iterator[tuple[Gateway, Gateway]]:
    """Two gateways, of one database."""
    del many
    first = _configured(tmp_path_factory.mktemp("first"), backing)
    second = _configured(tmp_path_factory.mktemp("second"), backing)
    second.environment["GATEWAY_DATABASE_URL"] = first.environment["GATEWAY_DATABASE_URL"]
    with first.started(), second.started():
        yield first, second


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, gateways: tuple[Gateway, Gateway]) -> Iterator[Edge]:
    """nginx in front of them."""
    with nginx.serving(tmp_path_factory.mktemp("edge"), [_address(gateway) for gateway in gateways]) as serving:
        yield serving


def _address(gateway: Gateway) -> str:
    return gateway.url.removeprefix("http://")


def _search(edge: Edge, query: str = "", **options: Any) -> urllib3.BaseHTTPResponse:
    headers = AUTHORIZATION | options.pop("headers", {})
    return edge.request("POST", "/search", body=orjson.dumps({"query": query}), headers=headers, **options)


def test_a_search_is_answered_over_tls(edge: Edge) -> None:
    response = _search(edge, "Hostname = octoxlabs*")
    assert response.status == 200
    assert response.json()["count"] > 0
    response = edge.request("GET", "/search?q=Hostname+=+octoxlabs*&size=1", headers=AUTHORIZATION)
    assert len(response.json()["results"]) == 1


def test_http_2_is_spoken(edge: Edge) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    format_ = "%{http_version} %{response_code}"
    command = ["curl", "-sk", "--http2", "-o", "/dev/null", "-w", format_, f"{edge.url}/healthz"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "2 200"


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("sluice.example", "https://sluice.example/search?q=a%20b"),
        ("sluice.example:80", "https://sluice.example/search?q=a%20b"),
        ("sluice.example:8080", "https://sluice.example:8443/search?q=a%20b"),
        ("[::1]:8080", "https://[::1]:8443/search?q=a%20b"),
    ],
)
def test_plain_http_is_sent_to_tls(edge: Edge, host: str, location: str) -> None:
    response = urllib3.request(
        "POST", f"{edge.plain_url}/search?q=a%20b", headers={"Host": host}, redirect=False, retries=False
    )
    assert (response.status, response.headers["Location"]) == (308, location)
    assert "Strict-Transport-Security" not in response.headers


def test_plain_http_on_the_port_of_tls_is_sent_to_tls(edge: Edge) -> None:
    response = urllib3.request("GET", f"http://127.0.0.1:{edge.port}/docs/", redirect=False, retries=False)
    assert (response.status, response.headers["Location"]) == (308, f"{edge.url}/docs/")


def test_both_gateways_are_used(edge: Edge, gateways: tuple[Gateway, Gateway]) -> None:
    responses = [_search(edge) for _ in range(6)]
    used = {edge.logged(response)["sluice.upstream.address"] for response in responses}
    assert used == {_address(gateway) for gateway in gateways}


def test_no_get_fails_while_a_gateway_is_killed_and_afterwards_it_is_left_alone(
    tmp_path: Path, backing: Backing, gateways: tuple[Gateway, Gateway]
) -> None:
    (tmp_path / "edge").mkdir()
    (tmp_path / "gateway").mkdir()
    doomed = _configured(tmp_path / "gateway", backing)
    with (
        nginx.serving(tmp_path / "edge", [_address(gateways[0]), _address(doomed)]) as edge,
        doomed.started() as process,
        ThreadPoolExecutor(4) as threads,
    ):

        def ask(number: int) -> int:
            # From many addresses: one alone may not ask so often.
            client = f"127.0.1.{number % 200 + 1}"
            return edge.request("GET", "/search?q=&size=1", headers=AUTHORIZATION, client=client).status

        def addresses() -> Counter[str]:
            return Counter(line["sluice.upstream.address"] for line in edge.log())

        answers = threads.map(ask, range(300))
        eventually(lambda: addresses()[_address(doomed)] > 20, "the doomed one is asked")
        for victim in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            victim.kill()
        assert Counter(answers) == {200: 300}
        assert [ask(number) for number in range(20)] == [200] * 20
        eventually(lambda: addresses().total() == 320, "every request is logged")
        # Except for the few that found out that it was dead, the last were not tried with it.
        assert sum(_address(doomed) in line["sluice.upstream.address"] for line in edge.log()[-20:]) <= 4


# The second is where the edge itself comes from, whose word the gateways take.
@pytest.mark.parametrize("client", ["127.0.0.5", "127.0.0.1"])
def test_a_client_cannot_pass_for_another(client: str, edge: Edge, find_events: FindEvents) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    response = _search(edge, headers=forged | {"X_Forwarded_For": "203.0.113.9"}, client=client)
    (event,) = find_events(response.headers["X-Request-ID"])
    assert event["metadata"]["client_ip"] == client


def test_the_ids_of_request_and_trace_go_on_to_the_event(edge: Edge, find_events: FindEvents) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"X-Request-ID": "edge.test-1", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    response = _search(edge, headers=headers)
    assert response.headers.getlist("X-Request-ID") == ["edge.test-1"]
    (event,) = find_events("edge.test-1")
    assert event["metadata"]["trace_id"] == trace
    assert edge.logged(response)["trace.id"] == trace


def test_an_id_that_is_not_well_formed_is_replaced(edge: Edge) -> None:
    response = edge.request("GET", "/healthz", headers={"X-Request-ID": 'no"{id}'})
    (request_id,) = response.headers.getlist("X-Request-ID")
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert edge.logged(response)["http.request.id"] == request_id


@pytest.mark.parametrize("request_", [b"GET /search?q=secret\r\n", b"GET /search?q=secret HTTP/1.0\r\n\r\n"])
def test_http_of_old_has_no_host_and_is_refused_and_logged(request_: bytes, edge: Edge) -> None:
    assert b"malformed" in edge.raw(request_)
    assert "secret" not in edge.everything_logged()
    assert edge.log()


def test_a_host_that_is_not_ours_is_refused_by_the_gateway(edge: Edge) -> None:
    assert edge.request("GET", "/auth/me", headers=AUTHORIZATION | {"Host": "elsewhere.example"}).status == 400
    assert edge.request("GET", "/auth/me", headers=AUTHORIZATION | {"Host": "localhost"}).status == 200


@pytest.mark.parametrize(
    "target",
    ["/metrics", "/metrics?x", "/%6detrics", "//metrics", "/x/../metrics", "/./metrics", "/metrics#x", "/readyz"],
)
def test_paths_for_those_inside_are_not_passed_on(edge: Edge, target: str) -> None:
    answer = edge.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert orjson.loads(body)["code"] == "not_found"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("suffix", ["/", "%0a", "%20", ";x", "\\"])
def test_paths_that_look_like_those_are_not_served_by_the_gateway_either(edge: Edge, method: str, suffix: str) -> None:
    answer = edge.raw(f"{method} /metrics{suffix} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert b"gateway_request_seconds" not in answer
    assert not answer.startswith(b"HTTP/1.1 200")


def test_a_body_of_one_mebibyte_reaches_the_gateway_and_a_larger_one_does_not(edge: Edge) -> None:
    largest = 1024 * 1024
    response = edge.request("POST", "/search", body=b" " * largest, headers=AUTHORIZATION)
    assert (response.status, response.json()["code"]) == (400, "malformed")
    assert edge.logged(response)["sluice.upstream.status"] == "400"
    chunks = (b" " * 65536 for _ in range(17))
    for body in (b" " * (largest + 1), chunks):
        response = edge.request("POST", "/search", body=body, headers=AUTHORIZATION)
        assert (response.status, response.json()["code"]) == (413, "too_large")
        assert response.headers["Content-Type"] == "application/problem+json"
        assert edge.logged(response)["sluice.upstream.status"] == ""


def test_a_stream_comes_whole(edge: Edge) -> None:
    body = orjson.dumps({"query": "", "index": MANY})
    response = edge.request("POST", "/search", body=body, headers=AUTHORIZATION | {"Accept": "application/x-ndjson"})
    assert response.status == 200
    assert response.data.count(b"\n") == MANY_DOCUMENTS
    assert "X-Accel-Buffering" not in response.headers


def test_the_gateway_asks_for_its_streams_to_be_passed_on_at_once(gateways: tuple[Gateway, Gateway]) -> None:
    response = gateways[0].post(b'{"query": ""}', Accept="application/x-ndjson")
    assert response.headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize(
    ("target", "status"),
    [("/", 200), ("/auth/me", 200), ("/nowhere", 404), ("/metrics", 404), ("/docs/", 200), ("/admin/login/", 200)],
)
def test_every_answer_has_each_security_header_once_and_tells_no_version(edge: Edge, target: str, status: int) -> None:
    response = edge.request("GET", target, headers=AUTHORIZATION)
    assert response.status == status
    expected = {
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Server": "nginx",
    }
    assert {name: response.headers.getlist(name) for name in expected} == {
        name: [value] for name, value in expected.items()
    }
    (policy,) = response.headers.getlist("Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert len(response.headers.getlist("X-Request-ID")) == 1


class _Page(HTMLParser):
    """The addresses that a page loads, and the parts of it that a strict policy would block."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.fields: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        found = dict(attrs)
        source = found.get("src") or (found.get("href") if tag == "link" else None)
        if source:
            self.loaded.append(source)
        elif tag == "script" and found.get("type") != "application/json":
            self.inline.append("script")
        if tag == "style" or "style" in found:
            self.inline.append("style")
        self.inline += [name for name in found if name.startswith("on")]
        if tag == "input":
            self.fields[str(found.get("name"))] = found.get("value")


def test_the_documentation_works_under_its_policy(edge: Edge) -> None:
    response = edge.request("GET", "/docs/")
    page = _Page(response.data.decode())
    assert page.inline == ["style"]
    assert "style-src 'self' 'unsafe-inline'" in response.headers["Content-Security-Policy"]
    assert any("script" in source for source in page.loaded)
    for source in page.loaded:
        # Relative to the page or to the origin, so 'self'; and it is there.
        assert edge.request("GET", source if source.startswith("/") else f"/docs/{source}").status == 200, source
    assert b"SwaggerUIBundle(" in edge.request("GET", "/docs/?script=").data


def test_an_operator_logs_in_to_pages_that_work_under_their_policy(
    edge: Edge, gateways: tuple[Gateway, Gateway]
) -> None:
    made = gateways[0].run("createsuperuser", "--noinput", "--username", "operator", DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    assert made.returncode == 0, made.stderr
    form = edge.request("GET", "/admin/login/")
    (cookie,) = form.headers.getlist("Set-Cookie")
    token = _Page(form.data.decode()).fields["csrfmiddlewaretoken"]
    fields = {"username": "operator", "password": PASSWORD, "csrfmiddlewaretoken": str(token), "next": "/admin/"}
    response = edge.request(
        "POST",
        "/admin/login/",
        body=urlencode(fields),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": cookie.partition(";")[0],
            # As a browser that came by this port says.
            "Origin": edge.url,
            "Referer": f"{edge.url}/admin/login/",
        },
    )
    assert (response.status, response.headers["Location"]) == (302, "/admin/")
    session = next(value for value in response.headers.getlist("Set-Cookie") if value.startswith("sessionid="))
    for path in ("/admin/", "/admin/identity/user/", "/admin/identity/user/add/", "/admin/identity/apikey/"):
        page = edge.request("GET", path, headers={"Cookie": session.partition(";")[0]})
        assert page.status == 200
        assert _Page(page.data.decode()).inline == [], path


def test_neither_log_holds_queries_credentials_names_or_whole_addresses(edge: Edge) -> None:
    secret = "Xylophone7"
    client = "127.0.77.99"
    responses = [
        edge.request("GET", f"/search?q=Hostname+=+{secret}", headers=AUTHORIZATION, client=client),
        edge.request("POST", f"/devices/devices/{secret}", body=b"{}", headers=AUTHORIZATION, client=client),
        edge.request("DELETE", f"/auth/keys/{secret}", headers=AUTHORIZATION, client=client),
        edge.request("GET", f"/documents/devices/{secret}", headers=AUTHORIZATION, client=client),
        edge.request("GET", f"/downloads/{secret}", client=client),
        edge.request("GET", f"/metrics?{secret}", headers={"Cookie": secret, "User-Agent": secret, "Referer": secret}),
        edge.request("GET", f"/search%3Fq={secret}", headers=AUTHORIZATION, client=client),
        edge.request("GET", "/healthz?" + secret * 2000, client=client),
        edge.request("POST", f"/search?{secret}", body=b" " * (1024 * 1024 + 1), headers=AUTHORIZATION, client=client),
    ]
    lines = [edge.logged(response) for response in responses]
    statuses = ["200", "404", "403", "403", "401", "404", "404", "414", "413"]
    assert [line["http.response.status_code"] for line in lines] == statuses
    assert lines[0]["url.path"] == "/search"
    assert lines[0]["client.network"] == "127.0.77.0/24"
    assert lines[1]["url.path"] == "/devices/devices/{hostname}"
    assert lines[2]["url.path"] == "/auth/keys/{key_id}"
    assert lines[3]["url.path"] == "/documents/{index}/{document_id}"
    assert lines[4]["url.path"] == "/downloads/{ticket}"
    assert lines[6]["url.path"] == "/search"
    logged = edge.everything_logged()
    for hidden in (secret, AUTHORIZATION["Authorization"].split()[1], client):
        assert hidden not in logged
