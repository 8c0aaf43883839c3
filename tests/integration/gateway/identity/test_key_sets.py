"""Key sets of providers in a gateway's own process: they are fetched at its start, and their age is told."""

from pathlib import Path

import orjson
import urllib3

from local.identity_provider import new_key
from tests.support.gateway import Backing, configured_gateway
from tests.support.hostile_provider import CLIENT_ID, CLIENT_SECRET, hostile_provider
from tests.support.waiting import eventually

_WRONG = "the identity provider wrong names another issuer in its metadata than GATEWAY_PROVIDERS does"


def test_keys_are_fetched_at_the_start_and_a_provider_that_names_another_issuer_is_a_line_of_the_log(
    tmp_path: Path, backing: Backing
) -> None:
    key, log = new_key("one"), tmp_path / "log"
    with hostile_provider(key) as right, hostile_provider(key) as wrong:
        wrong.change_metadata = lambda metadata: metadata.update(issuer="https://another.example")
        client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        table = {"right": {"issuer": right.issuer, **client}, "wrong": {"issuer": wrong.issuer, **client}}
        gateway = configured_gateway(
            tmp_path,
            backing,
            GATEWAY_PROVIDERS=orjson.dumps(table).decode(),
            GATEWAY_LOOPBACK_PROVIDERS="true",
            GATEWAY_WORKERS="1",
        )

        def told() -> str:
            return urllib3.request("GET", f"{gateway.url}/metrics").data.decode()

        with gateway.started(log=log):
            eventually(lambda: _WRONG in log.read_text(encoding="utf-8"), "the line of the log")
            eventually(lambda: told().count("gateway_provider_key_age_seconds{") == 2, "the age of either")
            assert 'gateway_provider_key_fetches_total{outcome="ok",provider="right"} 1.0' in told()
            assert CLIENT_SECRET not in log.read_text(encoding="utf-8")
        # No request has asked for them.
        assert right.seen.count("GET /keys") == 1
        assert "GET /keys" not in wrong.seen
