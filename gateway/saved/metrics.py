"""Metrics of saved searches, collections and watches."""

from prometheus_client import Counter, Gauge

CHANGES = Counter("gateway_saved_changes", "Changes of saved searches and collections.", ["kind", "op"])
LOOKS = Counter("gateway_watch_looks", "Looks at watched searches, by what became of them.", ["outcome"])
for _kind in ("search", "collection"):
    for _op in ("create", "change", "delete"):
        # From zero on, so that the first one counts as an increase.
        CHANGES.labels(_kind, _op)
for _outcome in ("skipped", "unchanged", "begun", "told", "refused", "failed"):
    LOOKS.labels(_outcome)
UNSENT_SECONDS = Gauge(
    "gateway_saved_events_oldest_unsent_seconds",
    "Age of the oldest event of saved searches that is not on the audit trail.",
    multiprocess_mode="max",
)
OVERDUE_SECONDS = Gauge(
    "gateway_watches_overdue_seconds",
    "How long the watched search that is due for longest has been so.",
    multiprocess_mode="max",
)
