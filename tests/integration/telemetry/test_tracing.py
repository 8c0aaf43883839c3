"""A search is one trace, from the gateway to the document of its event; and what tracing must never do."""

from secrets import token_hex

import pytest

from tests.integration.telemetry.stack import Stack
from tests.support.gateway import INDEX
from tests.support.otlp_collector import Collector
from tests.support.waiting import eventually


def _traceparent(flags: str = "01") -> tuple[str, str]:
    trace = token_hex(16)
    return trace, f"00-{trace}-{token_hex(8)}-{flags}"


def test_a_search_is_one_trace_through_all_services(traced: Stack, spans: Collector) -> None:
    # Once this one is a document, so is all before it, and the next one is alone in its batch.
    traced.document(traced.search("").json()["query_id"])
    trace, traceparent = _traceparent()
    topic = traced.trail.topic
    assert traced.search("Hostname = octoxlabs01", traceparent=traceparent).status == 200

    server = spans.find(trace, "POST /search", "gateway")
    to_translator = spans.find(trace, "POST /translate", "gateway")
    translating = spans.find(trace, "POST /translate", "translator")
    searching = spans.find(trace, f"search {INDEX}", "gateway")
    sending = spans.find(trace, f"send {topic}", "gateway")
    processing = spans.find(trace, f"process {topic}", "audit_sink")
    indexing = spans.find(trace, "bulk", "audit_sink")
    for span, kind, parent in (
        (server, "SERVER", traceparent.split("-")[2]),
        (to_translator, "CLIENT", server.id),
        (translating, "SERVER", to_translator.id),
        (searching, "CLIENT", server.id),
        (sending, "PRODUCER", server.id),
        (processing, "CONSUMER", sending.id),
        (indexing, "CLIENT", processing.id),
    ):
        assert (span.kind, span.parent, span.is_error) == (kind, parent, False), span.name
    assert processing.links == ((trace, sending.id),)
    assert server.attributes["http.response.status_code"] == 200
    assert server.attributes["http.route"] == "/search"
    assert searching.attributes["db.collection.name"] == INDEX
    assert processing.attributes["messaging.batch.message_count"] == 1
    assert spans.headers["x-tenant"] == "sluice"


def test_the_event_and_its_document_have_the_trace_of_the_spans(traced: Stack, spans: Collector) -> None:
    query_id = traced.search("Hostname = octoxlabs02").json()["query_id"]
    sending = spans.wait(lambda span: span.attributes.get("messaging.message.id") == query_id, query_id)
    assert traced.document(query_id)["trace"]["id"] == sending.trace


def test_a_trace_that_is_not_sampled_is_carried_on_and_not_exported(traced: Stack, spans: Collector) -> None:
    trace, traceparent = _traceparent("00")
    query_id = traced.search("Hostname = octoxlabs03", traceparent=traceparent).json()["query_id"]
    assert traced.document(query_id)["trace"]["id"] == trace
    # Later spans have been exported, so it would have been too.
    later, traceparent = _traceparent()
    traced.search("Hostname = octoxlabs03", traceparent=traceparent)
    for name, service in (("bulk", "audit_sink"), ("POST /search", "gateway"), ("POST /translate", "translator")):
        spans.find(later, name, service)
    assert trace not in {span.trace for span in spans.spans}


@pytest.mark.parametrize(
    "traceparent", ["00-1-2-01", "needle", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01"]
)
def test_a_malformed_traceparent_begins_a_new_trace(traceparent: str, traced: Stack, spans: Collector) -> None:
    query_id = traced.search("Hostname = octoxlabs04", traceparent=traceparent).json()["query_id"]
    sending = spans.wait(lambda span: span.attributes.get("messaging.message.id") == query_id, query_id)
    assert spans.find(sending.trace, "POST /search", "gateway").parent == ""


def test_events_of_one_batch_are_all_linked_to_its_span(traced: Stack, spans: Collector) -> None:
    topic = traced.trail.topic

    def together() -> bool:
        traces = [token_hex(16) for _ in range(5)]
        for trace in traces:
            traced.search("Hostname = octoxlabs05", traceparent=f"00-{trace}-{token_hex(8)}-01")
        batches = set()
        for trace in traces:
            sent = (trace, spans.find(trace, f"send {topic}", "gateway").id)
            batch = spans.wait(lambda span, sent=sent: sent in span.links, f"a link to {sent}")  # type: ignore[misc]
            assert (batch.name, len(batch.links)) == (
                f"process {topic}",
                batch.attributes["messaging.batch.message_count"],
            )
            batches.add(batch.id)
        return len(batches) < len(traces)

    eventually(together, "two events in one batch")


def test_health_and_metrics_make_no_spans(traced: Stack, spans: Collector) -> None:
    traces = []
    for path in ("/healthz", "/readyz", "/metrics"):
        trace, traceparent = _traceparent()
        traces.append(trace)
        assert traced.ask("GET", path, traceparent=traceparent).status == 200
    trace, traceparent = _traceparent()
    traced.search("", traceparent=traceparent)
    spans.find(trace, "POST /search", "gateway")
    assert not {span.trace for span in spans.spans} & set(traces)
    assert "cluster" not in {span.name for span in spans.spans}


def test_a_path_is_named_by_its_route_alone(traced: Stack, spans: Collector) -> None:
    trace, traceparent = _traceparent()
    traced.ask("GET", "/devices/devices/needle", Authorization=traced.caller, traceparent=traceparent)
    spans.find(trace, "GET /devices/devices/<str:hostname>", "gateway")


def test_a_method_that_a_client_makes_up_names_nothing(traced: Stack, spans: Collector) -> None:
    trace, traceparent = _traceparent()
    traced.ask("NEEDLE", "/search", Authorization=traced.caller, traceparent=traceparent)
    spans.find(trace, "_OTHER /search", "gateway")


def test_a_failure_is_marked_by_its_kind(traced: Stack, spans: Collector) -> None:
    trace, traceparent = _traceparent()
    traced.translator.drops = 2
    assert traced.search("Hostname = octoxlabs01", traceparent=traceparent).status == 503
    called, server = spans.find(trace, "POST /translate", "gateway"), spans.find(trace, "POST /search", "gateway")
    assert (called.is_error, called.attributes["error.type"]) == (True, "Dropped")
    assert (server.is_error, server.attributes["error.type"]) == (True, "503")


def test_requests_are_answered_in_time_while_the_collector_is_away(forsaken: Stack) -> None:
    for _ in range(20):
        assert forsaken.search("Hostname = octoxlabs01").status == 200
    assert forsaken.log("gateway").count("opentelemetry") <= 3
