"""Metrics of live sockets."""

from prometheus_client import Counter, Gauge

from gateway.live.frames import Farewell

SOCKETS = Gauge("gateway_live_sockets", "Open sockets.", ["kind"], multiprocess_mode="livesum")
ENDED = Counter("gateway_live_ended", "Sockets that the server has ended, by the code of their farewell.", ["code"])
RESYNCS = Counter("gateway_live_resyncs", "Sockets that were told to read their inbox, as too much was under way.")
TAIL_EVENTS = Counter(
    "gateway_live_tail_events", "Events of the audit trail, by what became of them in a tail.", ["fate"]
)
READING = Gauge(
    "gateway_live_reading", "1 while the process reads a topic of Kafka.", ["topic"], multiprocess_mode="livemin"
)
for _kind in ("notifications", "tail"):
    SOCKETS.labels(_kind)
for _fate in ("shown", "filtered", "left_out"):
    TAIL_EVENTS.labels(_fate)
for _farewell in Farewell:
    ENDED.labels(_farewell)
