"""Demo inventory on the embedded stack: the wait until it is indexed, and a write by a user."""

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from elastic.demo_inventory import NAMED
from local.errors import StackError
from local.services import OPERATOR, USER, Services

_HTTP = urllib3.PoolManager(retries=False, timeout=60.0)
_MERGE_PATCH = "application/merge-patch+json"
_TOKEN = "X-Consistency-Token"
_WITHIN_SECONDS = 900
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Write:
    """A write, and the search that found it.

    Attributes:
        path: the document's.
        found: the document as the search has it.
        milliseconds: from before the write until the search's answer.
    """

    path: str
    found: dict[str, Any]
    milliseconds: float


def authorization(user: str) -> str:
    """The credentials of one of the demo users."""
    return "Octoxlabs " + base64.b64encode(user.encode()).decode()


def wait(services: Services) -> None:
    """Wait until the demo inventory is found.

    Raises:
        StackError: it is not, in time.
    """
    url = f"{services.servers.elasticsearch.url}/devices/_count?ignore_unavailable=true"
    deadline = time.monotonic() + _WITHIN_SECONDS
    while time.monotonic() < deadline:
        answer = _HTTP.request("GET", url)
        if answer.status == 200 and answer.json()["count"] >= NAMED + services.devices:
            return
        time.sleep(_PAUSE_SECONDS)
    raise StackError(f"the demo inventory is not indexed within {_WITHIN_SECONDS} s")


def write(services: Services) -> Write:
    """Change a device, and find it by the token of the change.

    Raises:
        StackError: it is refused, or not found.
    """
    path = "/inventory/device/octoxlabs01"
    before = _send(services, "GET", path, OPERATOR)
    seen = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {"Content-Type": _MERGE_PATCH, "If-Match": before.headers.get("ETag", "")}
    began = time.monotonic()
    answer = _send(services, "PATCH", path, OPERATOR, json.dumps({"LastSeen": seen}).encode(), headers)
    if answer.status != 200 or _TOKEN not in answer.headers:
        raise StackError(f"the write was answered with {answer.status}: {answer.data[:300].decode()}")
    found = _find(services, f'Hostname = octoxlabs01 AND LastSeen = "{seen}"', answer.headers[_TOKEN])
    return Write(path, found, (time.monotonic() - began) * 1000)


def _find(services: Services, query: str, token: str) -> dict[str, Any]:
    """The first document that a search finds once the index has a change."""
    body = json.dumps({"query": query, "index": "devices", "size": 1}).encode()
    headers = {"Content-Type": "application/json", _TOKEN: token, "Prefer": "wait=10"}
    deadline = time.monotonic() + _WITHIN_SECONDS
    while True:
        answer = _send(services, "POST", "/search", USER, body, headers)
        found: dict[str, Any] = answer.json()
        if answer.status == 200 and found["results"]:
            first: dict[str, Any] = found["results"][0]
            return first
        # A busy machine may take longer than one search may wait.
        if found.get("code") != "index_behind" or time.monotonic() > deadline:
            raise StackError(f"the search for what was written was answered with {answer.status}: {found}")


def _send(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # a request has as many
    services: Services,
    method: str,
    path: str,
    user: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> urllib3.BaseHTTPResponse:
    try:
        return _HTTP.request(
            method,
            f"{services.gateway_url}{path}",
            body=body,
            headers={"Authorization": authorization(user), **(headers or {})},
        )
    except HTTPError as error:
        raise StackError(f"the gateway does not answer: {type(error).__name__}") from error
