"""Metrics of the room ``serving``."""

from prometheus_client import Counter, Gauge

REQUESTS_INSIDE = Gauge(
    "gateway_requests_inside",
    "Requests that are worked on or wait for a thread.",
    ["bulkhead"],
    multiprocess_mode="livesum",
)
BODIES_INSIDE = Gauge("gateway_bodies_inside", "Request bodies that are being read.", multiprocess_mode="livesum")
SHED = Counter("gateway_shed", "Requests that were refused at once, because there was no room for them.")
