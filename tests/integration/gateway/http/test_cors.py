"""CORS: the origins whose scripts may read the gateway's answers."""

from pathlib import Path

import urllib3

from tests.support.gateway import Backing, Gateway, configured_gateway

OURS, FOREIGN = "https://sluice.example", "https://elsewhere.example"


def _allowed(gateway: Gateway, origin: str) -> list[str | None]:
    """The origin that a preflight and an answer to a page of this origin name."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    preflight = urllib3.request("OPTIONS", f"{gateway.url}/search", headers=asked, retries=False, timeout=30.0)
    answer = gateway.post(b'{"query": ""}', Origin=origin)
    assert answer.status == 200
    return [response.headers.get("Access-Control-Allow-Origin") for response in (preflight, answer)]


def test_no_page_may_read_answers_unless_its_origin_is_configured(tmp_path: Path, backing: Backing) -> None:
    gateway = configured_gateway(tmp_path, backing)
    with gateway.started():
        assert _allowed(gateway, OURS) == [None, None]
    with gateway.started(GATEWAY_CORS_ORIGINS=OURS):
        assert _allowed(gateway, OURS) == [OURS, OURS]
        assert _allowed(gateway, FOREIGN) == [None, None]
