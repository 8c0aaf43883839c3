"""Metrics of the lake's writer."""

from prometheus_client import Counter, Gauge, Histogram

READ = Counter("lake_records_read", "Records read from the topic; those of dropped batches are read again.")
ROWS = Counter("lake_rows", "Events committed to the lake.")
REJECTED = Counter("lake_rejected", "Records committed to the table rejected, by reason.", ["reason"])
GAP_OFFSETS = Counter("lake_gap_offsets", "Offsets that Kafka did not have any more when they were to be read.")
COMMITS = Counter("lake_commits", "Batches committed.")
COMMIT_FAILURES = Counter("lake_commit_failures", "Tries to commit a batch that failed; they are made again.")
DROPPED_BATCHES = Counter(
    "lake_dropped_batches", "Batches dropped because another writer had written some of it; they are read again."
)
COMMIT_SECONDS = Histogram(
    "lake_commit_seconds", "Duration of a commit.", buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
)
LAG = Gauge("lake_lag", "Records that are not committed to the lake yet, by assigned partition.", ["partition"])
OLDEST_UNCOMMITTED_SECONDS = Gauge(
    "lake_oldest_uncommitted_seconds", "Age, since Kafka had it, of the oldest record read and not committed."
)
LAST_COMMIT = Gauge("lake_last_commit_timestamp_seconds", "Time of the last commit, since 1970; 0 before the first.")
ENRICHMENT_FAILURES = Counter(
    "lake_enrichment_failures", "Sources of enrichment that could not be asked, by source: mmdb or assets.", ["source"]
)
ENRICHMENT_MISSES = Counter(
    "lake_enrichment_misses", "Events whose address a source does not know, by source: mmdb or assets.", ["source"]
)
ACCOUNT_DIFFERENCE = Gauge(
    "lake_account_difference", "Offsets that are in no place of the account, or in two, when it was last checked."
)
ACCOUNT_CHECKED = Gauge(
    "lake_account_checked_timestamp_seconds", "Time at which the account was last checked, since 1970."
)

for _source in ("mmdb", "assets"):
    ENRICHMENT_FAILURES.labels(_source)
    ENRICHMENT_MISSES.labels(_source)


def enrichment_failures() -> dict[str, float]:
    """How often each source of enrichment could not be asked."""
    return {
        sample.labels["source"]: sample.value
        for metric in ENRICHMENT_FAILURES.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
