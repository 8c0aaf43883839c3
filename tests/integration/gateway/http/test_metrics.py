"""Metrics of a running gateway."""

from pathlib import Path

import urllib3
from prometheus_client.parser import text_string_to_metric_families

from tests.support.gateway import Backing, Gateway, configured_gateway
from tests.support.waiting import eventually


def _samples(gateway: Gateway) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The values of the gateway's metrics now, by name and labels."""
    response = urllib3.request("GET", f"{gateway.url}/metrics", retries=False, timeout=30.0)
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.data.decode())
        for sample in family.samples
    }


def test_two_workers_count_together_and_a_new_start_counts_anew(tmp_path: Path, backing: Backing) -> None:
    gateway = configured_gateway(tmp_path, backing, GATEWAY_WORKERS="2")
    with gateway.started() as process:
        for _ in range(6):
            assert gateway.post(b'{"query": ""}').status == 200
        assert gateway.post(b'{"query": "Hostname ="}').status == 400
        assert urllib3.request("GET", f"{gateway.url}/nowhere", retries=False).status == 404
        name = "gateway_request_seconds_count"
        searched = name, frozenset({("route", "/search"), ("status", "200")})
        counted = {
            searched: 6,
            (name, frozenset({("route", "/search"), ("status", "400")})): 1,
            (name, frozenset({("route", "none"), ("status", "404")})): 1,
            ("gateway_problems_total", frozenset({("code", "syntax")})): 1,
            ("gateway_problems_total", frozenset({("code", "not_found")})): 1,
            ("gateway_spool_limit_bytes", frozenset()): 2 * 256 * 1024 * 1024,
        }

        def all_counted() -> dict[tuple[str, frozenset[tuple[str, str]]], float] | None:
            samples = _samples(gateway)
            return samples if counted.items() <= samples.items() else None

        # The other worker's counts come a second later.
        samples = eventually(all_counted, "every count of both")
        assert samples["gateway_circuit_open", frozenset({("dependency", "translator")})] == 0
        assert samples["gateway_connections_in_use", frozenset({("dependency", "Elasticsearch")})] == 0
        assert samples["gateway_audit_mode", frozenset({("mode", "durable")})] == 1
        assert samples["gateway_spool_records", frozenset()] == 0
        assert samples["gateway_requests_inside", frozenset({("bulkhead", "metrics")})] == 1
        files = list(tmp_path.glob("gateway-metrics-*/*.db"))
        # Three processes with five files each: nothing has made one besides, and none can meet a full disk.
        assert len(files) == 15
        assert all(path.stat().st_blocks * 512 >= path.stat().st_size for path in files)
        process.terminate()
        assert process.wait() == 0
    with gateway.started():
        assert searched not in _samples(gateway)
