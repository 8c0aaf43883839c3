"""Metrics of the room ``http``, and the timing of a request's stages."""

from prometheus_client import Counter, Gauge, Histogram

STAGE_SECONDS = Histogram(
    "gateway_stage_seconds",
    "Where the time of a request goes: translate, search (Elasticsearch's answer), audit (until the event is safe).",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

CIRCUIT_OPEN = Gauge(
    "gateway_circuit_open",
    "1 while a dependency has failed repeatedly and is left alone.",
    ["dependency"],
    multiprocess_mode="livemax",
)
PROBLEMS = Counter("gateway_problems", "Requests that were answered with a problem, by its code.", ["code"])
THROTTLED = Counter("gateway_throttled", "Requests that were refused because one of these asks too often.", ["by"])
REQUEST_SECONDS = Histogram(
    "gateway_request_seconds",
    "From when the head of a request has come until its answer begins to leave.",
    ["route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0),
)
MEMORY_BYTES = Gauge(
    "gateway_memory_bytes",
    "Memory that long bodies and answers have taken of their budget.",
    multiprocess_mode="livesum",
)
CONNECTIONS_IN_USE = Gauge(
    "gateway_connections_in_use",
    "Connections on which an answer is awaited.",
    ["dependency"],
    multiprocess_mode="livesum",
)
