"""Metrics of the inventory: of its worker, and of the cache of documents."""

from prometheus_client import Counter, Gauge

RELAY_LEADS = Gauge("gateway_relay_leads", "1 while this worker's relay leads, 0 while it stands by.")
RELAY_STOPPED = Gauge(
    "gateway_relay_stopped", "1 while nothing is published because topic and database do not go together."
)
RELAY_PUBLISHED = Counter("gateway_relay_changes", "Changes published and acknowledged.")
RELAY_FAILURES = Counter("gateway_relay_failures", "Attempts to publish that failed; each is made again.")
RELAY_UNPUBLISHED = Gauge("gateway_relay_unpublished", "Changes that are written and not yet published.")
RELAY_OLDEST_SECONDS = Gauge(
    "gateway_relay_oldest_unpublished_seconds", "Age of the oldest change that is not yet published."
)
INDEX_REJECTED = Counter("gateway_index_rejected", "Documents that their index has refused, from its dead letters.")
DOCUMENT_CACHE = Counter(
    "gateway_document_cache", "Questions to the cache of documents (hit, miss), and its failures (failed).", ["outcome"]
)
REBUILDS = Gauge("gateway_index_rebuilds", "Indices that are being made again.")
