"""The gateway's metrics, in Prometheus' terms; every name with one line."""

from prometheus_client import Counter, Gauge, Histogram

STAGE_SECONDS = Histogram(
    "gateway_stage_seconds",
    "Where the time of a request goes: translate, search (Elasticsearch's answer), audit (until the event is safe).",
    ["stage"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

SPOOL_RECORDS = Gauge(
    "gateway_spool_records", "Events on this machine's disk that wait for Kafka.", multiprocess_mode="livesum"
)
SPOOL_BYTES = Gauge("gateway_spool_bytes", "The size of these events.", multiprocess_mode="livesum")
SPOOL_LIMIT_BYTES = Gauge("gateway_spool_limit_bytes", "The size that the spool may have.", multiprocess_mode="livesum")
SPOOLED = Counter(
    "gateway_spool_events", "Events that went to the disk because Kafka did not take them, or not in time."
)
SPOOL_DAMAGED_BYTES = Counter(
    "gateway_spool_damaged_bytes", "Bytes of spool files that were no whole event or cannot be read."
)
AUDIT_REFUSED = Counter("gateway_audit_refused", "Events that Kafka refuses for good; they are kept beside the spool.")
AUDIT_DROPPED = Counter("gateway_audit_dropped", "Events that were lost, in the mode async alone.")

CIRCUIT_OPEN = Gauge(
    "gateway_circuit_open",
    "1 while a dependency has failed repeatedly and is left alone.",
    ["dependency"],
    multiprocess_mode="livemax",
)
PROBLEMS = Counter("gateway_problems", "Requests that were answered with a problem, by its code.", ["code"])
THROTTLED = Counter("gateway_throttled", "Requests that were refused because one of these asks too often.", ["by"])
REFUSALS_NOT_RECORDED = Counter(
    "gateway_refusals_not_recorded", "Refusals that are not on the audit trail, because there were too many of them."
)
REQUEST_SECONDS = Histogram(
    "gateway_request_seconds",
    "From when the head of a request has come until its answer begins to leave.",
    ["route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0),
)
REQUESTS_INSIDE = Gauge(
    "gateway_requests_inside",
    "Requests that are worked on or wait for a thread.",
    ["lane"],
    multiprocess_mode="livesum",
)
BODIES_INSIDE = Gauge("gateway_bodies_inside", "Request bodies that are being read.", multiprocess_mode="livesum")
MEMORY_BYTES = Gauge(
    "gateway_memory_bytes",
    "What long bodies and answers have taken of the budget for them.",
    multiprocess_mode="livesum",
)
SHED = Counter("gateway_shed", "Requests that were refused at once, because there was no room for them.")
CONNECTIONS_IN_USE = Gauge(
    "gateway_connections_in_use",
    "Connections on which an answer is awaited.",
    ["dependency"],
    multiprocess_mode="livesum",
)
AUDIT_MODE = Gauge(
    "gateway_audit_mode", "1 for the mode in which events are written.", ["mode"], multiprocess_mode="max"
)
