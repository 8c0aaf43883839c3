"""The gateway's metrics, in Prometheus' terms; every name with one line."""

from prometheus_client import Counter, Gauge

SPOOL_RECORDS = Gauge(
    "gateway_spool_records", "Events on this machine's disk that wait for Kafka.", multiprocess_mode="livesum"
)
SPOOL_BYTES = Gauge("gateway_spool_bytes", "The size of these events.", multiprocess_mode="livesum")
SPOOLED = Counter("gateway_spool_events", "Events that went to the disk because Kafka did not take them in time.")
SPOOL_DAMAGED_BYTES = Counter("gateway_spool_damaged_bytes", "Bytes of spool files that were no whole event.")
AUDIT_DROPPED = Counter("gateway_audit_dropped", "Events that were lost, in the mode async alone.")

CIRCUIT_OPEN = Gauge(
    "gateway_circuit_open",
    "1 while a dependency has failed repeatedly and is left alone.",
    ["dependency"],
    multiprocess_mode="livemax",
)
THROTTLED = Counter("gateway_throttled", "Requests that were refused because one of these asks too often.", ["by"])
REFUSALS_NOT_RECORDED = Counter(
    "gateway_refusals_not_recorded", "Refusals that are not on the audit trail, because there were too many of them."
)
