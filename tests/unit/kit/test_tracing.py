"""Tracing is off until it is asked for, and off means that there is nothing of it."""

import os
import socket
import subprocess
import sys
import time

import pytest
from elasticsearch import Elasticsearch
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, SpanKind

from elastic.client import connect
from elastic.exchange import api_and_index
from elastic.settings import ElasticsearchSettings
from kit import tracing
from kit.settings import ConfigurationError, TracingSettings
from tests.support.otlp_collector import collector
from tests.support.process import running

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}

_OFF = """
import sys
from kit import tracing
from kit.settings import TracingSettings
import audit_sink.command_line, elastic.client, gateway.serving.supervisor, translator.server
tracing.set_up("service", TracingSettings.load())
loaded = [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
assert not loaded and not tracing.is_on(), loaded
"""


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variables", "on"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_SERVICE_NAME": "door", "OTEL_TRACES_SAMPLER": "always_on"}, False),
    ],
)
def test_an_exporter_or_its_address_turns_it_on(
    variables: dict[str, str], on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert TracingSettings.load().on is on


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_SDK_DISABLED", "perhaps"),
        ("OTEL_TRACES_EXPORTER", "jaeger"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,s3cret"),
        ("OTEL_RESOURCE_ATTRIBUTES", "production"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,production"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
    ],
)
def test_a_bad_value_is_named_and_not_shown(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable) as refusal:
        TracingSettings.load()
    assert "s3cret" not in str(refusal.value)


def test_the_collectors_headers_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20abc==, x-tenant=sluice")
    assert TracingSettings.load().headers == {"authorization": "Bearer abc==", "x-tenant": "sluice"}


def test_where_it_is_off_nothing_of_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "gateway.settings")
    subprocess.run([sys.executable, "-c", _OFF], check=True)


def test_where_it_is_off_there_is_no_span_and_no_header() -> None:
    with tracing.span("a", SpanKind.SERVER, parent=Context()) as span:
        assert span is INVALID_SPAN
        assert tracing.traceparent() is None


def test_where_it_is_off_the_elasticsearch_client_makes_no_spans_by_itself() -> None:
    with connect(ElasticsearchSettings()) as client:
        for each in (client, client.options(request_timeout=1)):
            assert not _traces_by_itself(each)


def _traces_by_itself(client: Elasticsearch) -> bool:
    enabled: bool = client._otel.enabled  # pylint: disable=protected-access  # nothing public tells
    return enabled


@pytest.mark.parametrize(
    ("path", "operation", "index"),
    [
        ("/devices/_search", "search", "devices"),
        ("/query-logs-%2A/_search", "search", "query-logs-%2A"),
        ("/_search", "search", ""),
        ("/_bulk", "bulk", ""),
        ("/_cluster/health", "cluster", ""),
        ("/devices/_settings/index.creation_date", "settings", "devices"),
    ],
)
def test_a_request_is_named_after_its_api(path: str, operation: str, index: str) -> None:
    assert api_and_index(path) == (operation, index)


_TRACED = """
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from kit import tracing
from kit.settings import TracingSettings
tracing.set_up("service", TracingSettings.load())
with tracing.span("work", SpanKind.SERVER, parent=Context()):
    pass
"""


def test_spans_that_are_left_are_exported_at_the_end_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector() as collected:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=another,deployment.environment.name=test")
        subprocess.run([sys.executable, "-c", _TRACED], check=True)
        [span] = collected.spans
    assert (span.name, span.service) == ("work", "another")


def test_a_collector_that_hangs_holds_the_end_up_for_two_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        # Once it exports, it is about to end.
        with running(sys.executable, "-c", _TRACED) as process:
            exporting, _ = silent.accept()
            started = time.monotonic()
            with exporting:
                assert process.wait(30) == 0
    assert time.monotonic() - started < 2 * tracing._FLUSH_SECONDS  # pylint: disable=protected-access  # what is promised
