"""Metrics of indexing consumers; the label ``consumer`` is the projection's name."""

from prometheus_client import Counter, Gauge, Histogram

CONSUMED = Counter("indexing_records_consumed", "Records read from the topic.", ["consumer"])
INDEXED = Counter("indexing_operations_done", "Operations that Elasticsearch did.", ["consumer"])
DUPLICATES = Counter(
    "indexing_operations_duplicate", "Operations that an earlier try or a later version had done.", ["consumer"]
)
DEAD_LETTERS = Counter(
    "indexing_dead_letters", "Dead letters acknowledged by Kafka, by reason.", ["consumer", "reason"]
)
RETRIES = Counter(
    "indexing_bulk_retries", "Bulk requests tried again, wholly or in part, by cause.", ["consumer", "cause"]
)
COMMIT_FAILURES = Counter("indexing_commit_failures", "Offset commits that failed; they are made again.", ["consumer"])
BULK_SECONDS = Histogram(
    "indexing_bulk_seconds",
    "Duration of a bulk request.",
    ["consumer"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BULK_OPERATIONS = Histogram(
    "indexing_bulk_operations",
    "Operations in a bulk request.",
    ["consumer"],
    buckets=(1, 10, 100, 500, 1000, 2000, 5000, 10000, 20000),
)
LAG = Gauge("indexing_lag", "Records that are not settled yet, by assigned partition.", ["consumer", "partition"])
PAUSED = Gauge(
    "indexing_paused_partitions", "Assigned partitions that are paused, waiting for Elasticsearch.", ["consumer"]
)
OLDEST_UNSETTLED_SECONDS = Gauge(
    "indexing_oldest_unsettled_seconds",
    "Age, since Kafka had it, of the oldest record read and not settled.",
    ["consumer"],
)


def expose(consumer: str) -> None:
    """Show a consumer's metrics from the start, at zero, so that a rate over them has a beginning."""
    for metric in (CONSUMED, INDEXED, DUPLICATES, COMMIT_FAILURES, BULK_SECONDS, BULK_OPERATIONS):
        metric.labels(consumer)
    for gauge in (PAUSED, OLDEST_UNSETTLED_SECONDS):
        gauge.labels(consumer)
