"""Logs of everything that a client can do, and of outages: they say where and why, and never who or what."""

from base64 import b64encode
from dataclasses import dataclass
from secrets import token_hex

import orjson
import pytest
import urllib3

from tests.integration.telemetry.stack import PASSWORD, SERVICES, USER, Stack
from tests.support.gateway import INDEX
from tests.support.otlp_collector import Collector
from tests.support.query_event import event
from tests.support.trail import refused_by_mapping
from tests.support.waiting import eventually

# Text with one of these in it is private: a query, a name, a password, a program, an address.
MARK = "needle"
ADDRESS = "203.0.113.77"
QUERIES = (
    "Hostname = needle*",
    "Hostname = needle AND AND",
    'Hostname = "needle',
    "Needlefield = 1",
    "LastSeen = needle",
    "LastSeen > needle",
    "Hostname ~ '(needle|(a*)*)*b'",
    "needle " * 2_000,
    "(" * 500 + "needle",
    "Hostname = needle\x00\x1b[31m\n2026-01-01 ERROR forged",
)


@dataclass(frozen=True, slots=True)
class After:
    """The services after everything that clients and outages do to them, and the credentials that came up."""

    stack: Stack
    secrets: list[str]


@pytest.fixture(scope="module")
def traced_after(traced: Stack) -> After:
    """The services with everything up, after it."""
    found = _after(traced)
    eventually(lambda: "dead letters" in traced.log("audit_sink"), "the dead letters")
    return found


@pytest.fixture(scope="module")
def forsaken_after(forsaken: Stack) -> After:
    """The services without Kafka and a collector, after it."""
    return _after(forsaken)


@pytest.fixture(params=["traced_after", "forsaken_after"])
def after(request: pytest.FixtureRequest) -> After:
    """Each of the two."""
    found: After = request.getfixturevalue(request.param)
    return found


def _after(stack: Stack) -> After:
    secrets = _identify(stack)
    _search(stack)
    _break_the_rules(stack, secrets)
    _lose_dependencies(stack)
    _poison(stack)
    return After(stack, [*secrets, PASSWORD])


def _ask(stack: Stack, method: str, path: str, body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
    own = {"Authorization": stack.caller, "User-Agent": f"{MARK}/1.0", "X-Forwarded-For": ADDRESS}
    return stack.ask(method, path, body, **(own | headers))


def _identify(stack: Stack) -> list[str]:
    """Log in, rightly and wrongly; returns the credentials that this has brought."""
    right = {"username": USER, "password": PASSWORD}
    tokens = _ask(stack, "POST", "/auth/token", right).json()
    bearer = f"Bearer {tokens['access_token']}"
    key = _ask(stack, "POST", "/auth/keys", {"name": MARK}, Authorization=bearer).json()["api_key"]
    for wrong in ({"username": USER, "password": f"{MARK}-wrong"}, {"username": MARK, "password": PASSWORD}):
        assert _ask(stack, "POST", "/auth/token", wrong).status == 401
    _ask(stack, "POST", "/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
    _ask(stack, "POST", "/auth/token/refresh", {"refresh_token": tokens["refresh_token"]})
    _ask(stack, "POST", "/api/token/token", {"token": key})
    for credentials in (
        bearer,
        f"Octoxlabs {tokens['access_token'][:-9]}",
        f"Bearer {key}",
        "Octoxlabs " + b64encode(MARK.encode()).decode(),
        f"Basic {MARK}",
        f"Bearer {MARK * 3_000}",
    ):
        _ask(stack, "GET", "/auth/me", Authorization=credentials)
    return [tokens["access_token"], tokens["refresh_token"], key]


def _search(stack: Stack) -> None:
    for query in QUERIES:
        for path in ("/search", "/translate"):
            _ask(stack, "POST", path, {"query": query, "index": INDEX})
        _ask(stack, "POST", "/complete", {"query": query, "cursor": min(len(query), 8), "index": INDEX})
    _ask(stack, "GET", f"/search?q=Hostname%3D{MARK}&index={INDEX}")
    _ask(stack, "POST", "/search", {"query": f"Hostname = {MARK}", "index": INDEX}, Accept="application/x-ndjson")
    _ask(stack, "POST", "/search", {"query": "", "index": INDEX, "cursor": "start", "sort": [MARK]})
    _ask(stack, "POST", "/devices/devices", {"query": f"Hostname = {MARK}", "fields": [], "page": 1, "size": 1})
    _ask(stack, "GET", f"/devices/devices/{MARK}")


def _break_the_rules(stack: Stack, secrets: list[str]) -> None:
    for body in (b'{"query": "needle', b'{"needle": NaN}', b'{"query":' * 5_000, b"needle\xff\xfe", {"needle": MARK}):
        _ask(stack, "POST", "/search", body)
    _ask(stack, "POST", "/search", {"query": "", "index": MARK})
    _ask(stack, "POST", "/search", {"query": "", "cursor": MARK})
    _ask(stack, "POST", "/search", {"query": ""}, Content_Type=f"text/{MARK}; charset={MARK}")
    for path in (f"/{MARK}%00", f"/{MARK}/../../etc", f"/static/{MARK}", f"/admin/{MARK}", f"/fields?index={MARK}"):
        _ask(stack, "GET", path)
    _ask(stack, MARK.upper(), "/search")
    for name in ("Host", "X-Request-ID", "traceparent", "tracestate", "Accept", "Cookie", "Origin", "Referer"):
        _ask(stack, "POST", "/search", {"query": ""}, **{name.replace("-", "_"): f"{MARK}={MARK}"})
    _ask(stack, "POST", "/search", {"query": ""}, tracestate=f"{MARK}={MARK}," * 100, traceparent=f"00-{MARK}")
    _ask(stack, "POST", "/admin/login/", f"username={USER}&password={secrets[0]}".encode(), Content_Type="text/plain")


def _lose_dependencies(stack: Stack) -> None:
    def searched() -> int:
        return _ask(stack, "POST", "/search", {"query": f"Hostname = {MARK}", "index": INDEX}).status

    stack.elasticsearch.garbled = 1
    assert searched() == 503
    for proxy in (stack.elasticsearch, stack.translator):
        # Not so many that the circuit breaker opens, and the next test finds it so.
        proxy.drops = 2
        assert searched() == 503
        assert searched() == 200


def _poison(stack: Stack) -> None:
    """Put records on the topic that become dead letters."""
    marked = event(query=f"Hostname = {MARK}")
    for value in (b"needle", b'{"needle": 1}', None, refused_by_mapping(marked)):
        stack.trail.produce_raw(value)


def test_no_log_holds_private_text(after: After) -> None:
    for service in SERVICES:
        log = after.stack.log(service).lower()
        for private in (MARK, USER, ADDRESS, *after.secrets, b64encode(USER.encode()).decode()):
            assert private.lower() not in log, (service, private)


def test_the_logs_say_what_went_wrong(after: After) -> None:
    gateway = after.stack.log("gateway")
    assert "the translator cannot be reached" in gateway
    assert "Elasticsearch cannot be reached" in gateway
    assert "answer is not JSON" in gateway


def test_every_line_for_machines_is_one_object_of_the_elastic_common_schema(traced_after: After) -> None:
    for service in SERVICES:
        lines = [orjson.loads(line) for line in traced_after.stack.log(service).splitlines()]
        assert lines, service
        for line in lines:
            assert {"@timestamp", "log.level", "message", "ecs.version"} <= set(line)
            assert line["service"]["name"] == service


def test_a_line_about_a_request_has_its_trace(traced: Stack) -> None:
    trace = token_hex(16)
    traced.translator.drops = 2
    assert traced.search("", traceparent=f"00-{trace}-{token_hex(8)}-01").status == 503
    lines = [orjson.loads(line) for line in traced.log("gateway").splitlines()]
    assert "the translator cannot be reached: Dropped" in [
        line["message"] for line in lines if line.get("trace", {}).get("id") == trace
    ]


def test_no_span_holds_private_text(traced_after: After, spans: Collector) -> None:
    assert len(spans.spans) > 100
    for span in spans.spans:
        for private in (MARK, USER, ADDRESS, *traced_after.secrets):
            assert private.lower() not in span.text.lower(), (span.name, private)
        assert span.events == 0, span.name
