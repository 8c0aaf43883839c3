"""Bad input of every kind, sent to a running gateway: each is answered with a problem, and never with a fault."""

import re
from collections.abc import Callable, Iterator

import pytest
import urllib3
from django.urls import URLPattern
from elasticsearch import Elasticsearch
from urllib3 import BaseHTTPResponse

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from gateway import urls
from tests.support.api_key import make_api_key
from tests.support.gateway import AUTHORIZATION, INDEX, Backing, Gateway, configured_gateway
from tests.support.problems import is_problem

Ask = Callable[[str, str], urllib3.BaseHTTPResponse]

DEEP = 50_000


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, backing: Backing, many: str) -> Iterator[Gateway]:
    """A gateway that serves."""
    folder = tmp_path_factory.mktemp("bad-input")
    configured = configured_gateway(folder, backing, GATEWAY_SEARCH_INDICES=f"{INDEX},{many}")
    with configured.started():
        yield configured


@pytest.fixture(scope="module")
def ask(gateway: Gateway) -> Iterator[Ask]:
    """Sends a request with a signed token; its path is left as it is."""
    key = {"token": make_api_key(gateway.environment)}
    token = urllib3.request("POST", f"{gateway.url}/api/token/token", json=key).json()["access"]
    url = urllib3.util.parse_url(gateway.url)
    assert url.host
    headers = {"Authorization": f"Bearer {token}"}
    with urllib3.HTTPConnectionPool(url.host, url.port, headers=headers, retries=False, timeout=30.0) as pool:
        yield pool.urlopen


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"Hostname"',
        b"\xef\xbb\xbf{}",
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b'{"query": "", "size": NaN}',
        b'{"query": "", "size": -Infinity}',
        b'{"query": "", "size": 1e999}',
        b'{"query": "", "size": 1.5}',
        b'{"query": "", "size": true}',
        b'{"query": "", "size": ' + b"9" * 5_000 + b"}",
        b'{"query": "", "page": 1e400}',
        b'{"query": "", "page": 18446744073709551616}',
        b'{"query": "", "query": "Site = ankara"}',
        b'{"query": "", "qu\\u0065ry": "Site = ankara"}',
        b'{"query": "", "fields": [{"a": 1, "a": 2}]}',
        b'{"query": "", "fields": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"query": ' + b'{"query": ' * DEEP + b'""' + b"}" * DEEP + b"}",
        b'{"query": "", "__proto__": {}}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_not_the_contract_s_is_malformed(body: bytes, gateway: Gateway) -> None:
    assert is_problem(gateway.post(body), 400, "malformed")


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "latin-1", "idna", "nonsense", "\\xff", ""])
def test_a_body_in_another_charset_is_an_unsupported_media_type(charset: str, gateway: Gateway) -> None:
    response = gateway.post(b'{"query": ""}', **{"Content-Type": f"application/json; charset={charset}"})
    assert is_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
def test_a_compressed_body_is_an_unsupported_media_type(encoding: str, gateway: Gateway) -> None:
    response = gateway.post(b"\x1f\x8b", **{"Content-Encoding": encoding})
    assert is_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path",
    [
        "//search",
        "/search/",
        "/search/.",
        "/search/../search",
        "/search/../admin/",
        "/static/../search",
        "/%2e%2e/search",
        "/search%2f..%2fadmin",
        "/search%00",
        "/search;x=1",
        "/Search",
        "/search\\..\\admin",
        "/" + "%2e%2e/" * 50 + "etc/passwd",
        "/static/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/static//etc/passwd",
        "/" + "a" * 30_000,
        "/" + "%" * 100,
        "/%c0%ae%c0%ae/search",
        "/\u200bsearch".encode().decode("latin-1"),
    ],
    ids=lambda path: repr(path[:40]),
)
def test_a_path_that_is_nearly_another_is_not_found(path: str, ask: Ask) -> None:
    response = ask("GET", path)
    assert is_problem(response, 404, "not_found")


def _paths() -> list[str]:
    """Every path of the API."""
    routes = (str(entry.pattern) for entry in urls.urlpatterns if isinstance(entry, URLPattern))
    return [f"/{re.sub('<[^>]*>', 'x', re.sub('<int:[^>]*>', '1', route))}" for route in routes]


_OAUTH = ("/oauth/token", "/oauth/introspect", "/oauth/revoke")
"""Paths whose errors are those of RFC 6749, section 5.2."""
_FOR_ADMINISTRATORS = ("/oauth/clients", "/auth/users")
"""Beginnings of paths that refuse everybody else, whatever the method."""
_WRITABLE = ("/inventory", "/searches/", "/collections/", "/subscriptions/")
"""Beginnings of paths of what can be put in a place."""


def _refuses_method(path: str, response: BaseHTTPResponse) -> bool:
    if path in _OAUTH:
        return (response.status, response.json()["error"]) == (405, "invalid_request")
    if path.startswith(_FOR_ADMINISTRATORS):
        return is_problem(response, 403, "forbidden")
    return is_problem(response, 405, "malformed")


@pytest.mark.parametrize("path", _paths())
def test_options_and_methods_of_other_servers_are_refused_with_those_that_the_path_has(path: str, ask: Ask) -> None:
    has = set(ask("OPTIONS", path).headers["Allow"].split(", "))
    for method in {"OPTIONS", "TRACE", "PUT", "PATCH", "PROPFIND", "x"} - has:
        response = ask(method, path)
        assert _refuses_method(path, response), method
        allowed = response.headers["Allow"].split(", ")
        assert allowed
        assert not {"OPTIONS", "TRACE"} & set(allowed)
        assert path.startswith((*_WRITABLE, *_FOR_ADMINISTRATORS)) or not {"PUT", "PATCH"} & set(allowed)
        assert ("GET" in allowed) == ("HEAD" in allowed)


@pytest.mark.parametrize("path", _paths())
def test_head_is_get_without_a_body(path: str, ask: Ask) -> None:
    get, head = ask("GET", path), ask("HEAD", path)
    assert (head.status, head.data) == (get.status, b"")
    for name in ("Content-Type", "Allow", "Cache-Control"):
        assert head.headers.get(name) == get.headers.get(name)


def test_head_of_a_stream_reads_no_more_than_its_beginning(gateway: Gateway, backing: Backing, many: str) -> None:
    url, headers = f"{gateway.url}/search?q=&index={many}", AUTHORIZATION | {"Accept": "application/x-ndjson"}
    with connect(ElasticsearchSettings(url=backing.elasticsearch_url)) as client:
        before = _searches_of(client, many)
        head = urllib3.request("HEAD", url, headers=headers, retries=False, timeout=30.0)
        assert (head.status, head.headers["Content-Type"], head.data) == (200, "application/x-ndjson", b"")
        assert head.headers["X-Query-ID"]
        assert _searches_of(client, many) - before == 1


def _searches_of(client: Elasticsearch, index: str) -> int:
    """How many searches Elasticsearch has run in an index of one shard."""
    stats = client.indices.stats(index=index, metric="search")
    searches: int = stats["_all"]["total"]["search"]["query_total"]
    return searches
