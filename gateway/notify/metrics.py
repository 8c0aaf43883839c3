"""Metrics of notifications: of the worker, and of whoever writes into inboxes."""

from prometheus_client import Counter, Gauge

NOTIFICATIONS = Counter("gateway_notifications", "Notifications put into inboxes.", ["kind"])
DELIVERIES = Counter(
    "gateway_deliveries", "Tries to deliver notifications, and deliveries left out.", ["channel", "outcome"]
)
for _kind in ("inventory.changed", "inventory.imported", "saved.changed", "watch.found"):
    # From zero on, so that the first one counts as an increase.
    NOTIFICATIONS.labels(_kind)
for _channel in ("email", "webhook"):
    for _outcome in ("sent", "failed", "dead", "withdrawn", "withheld"):
        DELIVERIES.labels(_channel, _outcome)
LOST_WAKE_UPS = Counter(
    "gateway_wake_ups_lost", "Wake-ups of live sockets that Kafka has not taken; what they are about is late, not lost."
)
UNTOLD_SECONDS = Gauge(
    "gateway_notifications_oldest_untold_seconds",
    "Age of the oldest change that has not become notifications.",
    multiprocess_mode="max",
)
PENDING = Gauge(
    "gateway_deliveries_pending",
    "Deliveries that wait, those that are tried again too.",
    ["channel"],
    multiprocess_mode="max",
)
DEAD = Gauge("gateway_deliveries_dead", "Deliveries that were given up.", ["channel"], multiprocess_mode="max")
OVERDUE_SECONDS = Gauge(
    "gateway_deliveries_overdue_seconds",
    "How long the delivery that is due for longest has been so.",
    ["channel"],
    multiprocess_mode="max",
)
