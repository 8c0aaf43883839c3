"""Metrics of requests."""

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families


def test_a_process_that_shares_no_folder_tells_its_own_metrics() -> None:
    client = Client()
    client.get("/healthz")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    samples = [
        sample for family in text_string_to_metric_families(answer.content.decode()) for sample in family.samples
    ]
    asked = [
        sample.value
        for sample in samples
        if sample.name == "gateway_request_seconds_count" and sample.labels["route"] == "/healthz"
    ]
    assert sum(asked) >= 1
