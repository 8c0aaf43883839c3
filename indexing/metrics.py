"""The sink's metrics, in Prometheus' terms; every name with one line."""

from prometheus_client import Counter, Gauge, Histogram

CONSUMED = Counter("audit_sink_events_consumed", "Records read from the topic.")
INDEXED = Counter("audit_sink_events_indexed", "Events that became documents.")
DUPLICATES = Counter("audit_sink_events_duplicate", "Events that were documents already.")
DEAD_LETTERS = Counter("audit_sink_dead_letters", "Dead letters acknowledged by Kafka, by reason.", ["reason"])
RETRIES = Counter("audit_sink_bulk_retries", "Bulk requests tried again, wholly or in part, by cause.", ["cause"])
COMMIT_FAILURES = Counter("audit_sink_commit_failures", "Offset commits that failed; they are made again.")
BULK_SECONDS = Histogram(
    "audit_sink_bulk_seconds",
    "How long a bulk request took.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BULK_EVENTS = Histogram(
    "audit_sink_bulk_events", "Events in a bulk request.", buckets=(1, 10, 100, 500, 1000, 2000, 5000, 10000, 20000)
)
LAG = Gauge("audit_sink_lag", "Records that are not settled yet, by assigned partition.", ["partition"])
PAUSED = Gauge("audit_sink_paused_partitions", "Assigned partitions that are paused, waiting for Elasticsearch.")
OLDEST_UNSETTLED_SECONDS = Gauge(
    "audit_sink_oldest_unsettled_seconds", "Age, since Kafka had it, of the oldest event read and not settled."
)
