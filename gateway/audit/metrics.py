"""Metrics of the audit trail and its spool."""

from prometheus_client import Counter, Gauge

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
REFUSALS_NOT_RECORDED = Counter(
    "gateway_refusals_not_recorded", "Refusals that are not on the audit trail, because there were too many of them."
)
AUDIT_MODE = Gauge(
    "gateway_audit_mode", "1 for the mode in which events are written.", ["mode"], multiprocess_mode="max"
)
