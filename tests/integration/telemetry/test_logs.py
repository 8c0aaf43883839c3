"""What the services log of everything that a client can do, and of outages: where and why, and never who or what."""

from base64 import b64encode

import pytest
import urllib3

from gateway.circuit import FAILURES
from tests.integration.audit_sink.harness import event, refused_by_mapping
from tests.integration.gateway.conftest import INDEX
from tests.integration.telemetry.stack import PASSWORD, SERVICES, USER, Stack

# Whatever has one of these in it is somebody's: a query, a name, a password, a program, an address.
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


@pytest.fixture(scope="module", params=["traced", "forsaken"])
def stack(request: pytest.FixtureRequest) -> Stack:
    """The services after all of it."""
    found: Stack = request.getfixturevalue(request.param)
    secrets = _identify(found)
    _search(found)
    _break_the_rules(found, secrets)
    _lose_dependencies(found)
    _poison(found)
    found.secrets = [*secrets, PASSWORD]
    return found


def _ask(stack: Stack, method: str, path: str, body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
    own = {"Authorization": stack.caller, "User-Agent": f"{MARK}/1.0", "X-Forwarded-For": ADDRESS}
    return stack.ask(method, path, body, **(own | headers))


def _identify(stack: Stack) -> list[str]:
    """Log in, rightly and wrongly; returns the credentials that this has brought."""
    right = {"username": USER, "password": PASSWORD}
    tokens = _ask(stack, "POST", "/auth/token", right).json()
    key = _ask(stack, "POST", "/auth/keys", {"name": MARK}, Authorization=f"Bearer {tokens['access']}").json()["key"]
    for wrong in ({"username": USER, "password": f"{MARK}-wrong"}, {"username": MARK, "password": PASSWORD}):
        assert _ask(stack, "POST", "/auth/token", wrong).status == 401
    _ask(stack, "POST", "/auth/token/refresh", {"refresh": tokens["refresh"]})
    _ask(stack, "POST", "/auth/token/refresh", {"refresh": tokens["refresh"]})
    _ask(stack, "POST", "/api/token/token", {"token": key})
    for credentials in (
        f"Bearer {tokens['access']}",
        f"Octoxlabs {tokens['access'][:-9]}",
        f"Bearer {key}",
        "Octoxlabs " + b64encode(MARK.encode()).decode(),
        f"Basic {MARK}",
        f"Bearer {MARK * 3_000}",
    ):
        _ask(stack, "GET", "/auth/me", Authorization=credentials)
    return [tokens["access"], tokens["refresh"], key]


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
    for proxy in (stack.translator, stack.elasticsearch):
        proxy.drops = 2 * FAILURES
        for _ in range(FAILURES + 1):
            assert _ask(stack, "POST", "/search", {"query": f"Hostname = {MARK}", "index": INDEX}).status == 503
        proxy.drops = 0
        assert _ask(stack, "GET", "/readyz").status in (200, 503)
    stack.elasticsearch.garbled = 1
    _ask(stack, "POST", "/search", {"query": f"Hostname = {MARK}", "index": INDEX})
    stack.elasticsearch.garbled = 0


def _poison(stack: Stack) -> None:
    """Put records on the topic that become dead letters."""
    marked = event(query=f"Hostname = {MARK}")
    for value in (b"needle", b'{"needle": 1}', None, refused_by_mapping(marked)):
        stack.trail.produce_raw(value)


def test_no_log_holds_what_is_somebodys(stack: Stack) -> None:
    shown = {service: stack.log(service) for service in SERVICES}
    for service, log in shown.items():
        for private in (MARK, USER, ADDRESS, *stack.secrets, b64encode(USER.encode()).decode()):
            assert private.lower() not in log.lower(), (service, private)
    assert "the translator cannot be reached" in shown["gateway"]
    assert "Elasticsearch cannot be reached" in shown["gateway"]
