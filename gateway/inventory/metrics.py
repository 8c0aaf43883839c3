"""Metrics of the inventory: of its writers and its cache in the gateway, and of the worker."""

from prometheus_client import Counter, Gauge, Histogram

WRITES = Counter("gateway_inventory_writes", "Documents that were written, by requests and imports.", ["result"])
WRITE_REPEATS = Counter(
    "gateway_inventory_write_repeats", "Transactions of writers made again because others were in their way."
)
WRITE_SECONDS = Histogram(
    "gateway_inventory_write_seconds",
    "From when a writer begins its transaction until it is committed or refused, with all repeats.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
# The gateway's processes share theirs in files, whose kinds are known (gateway.serving.metrics_files).
RELAY_LEADS = Gauge(
    "gateway_relay_leads", "1 while this worker's relay leads, 0 while it stands by.", multiprocess_mode="max"
)
RELAY_STOPPED = Gauge(
    "gateway_relay_stopped",
    "1 while nothing is published because topic and database do not go together.",
    multiprocess_mode="max",
)
RELAY_PUBLISHED = Counter("gateway_relay_changes", "Changes published and acknowledged.")
RELAY_FAILURES = Counter("gateway_relay_failures", "Attempts to publish that failed; each is made again.")
RELAY_UNPUBLISHED = Gauge(
    "gateway_relay_unpublished", "Changes that are written and not yet published.", multiprocess_mode="max"
)
RELAY_OLDEST_SECONDS = Gauge(
    "gateway_relay_oldest_unpublished_seconds",
    "Age of the oldest change that is not yet published.",
    multiprocess_mode="max",
)
INDEX_REJECTED = Counter("gateway_index_rejected", "Documents that their index has refused, from its dead letters.")
DOCUMENT_CACHE = Counter(
    "gateway_document_cache", "Questions to the cache of documents (hit, miss), and its failures (failed).", ["outcome"]
)
REBUILDS = Gauge("gateway_index_rebuilds", "Indices that are being made again.", multiprocess_mode="max")
