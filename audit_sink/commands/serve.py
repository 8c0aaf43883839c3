"""`serve`: move events into Elasticsearch until SIGTERM."""

import logging
import os
import signal
import sys
import threading
from types import FrameType

from audit_sink.settings import SinkSettings
from contracts.query_event.topics import TopicSettings
from elastic.settings import ElasticsearchSettings
from indexing.bulk_writer import connect_for_bulk
from indexing.health import serve_health
from indexing.loop import DRAIN_SECONDS, Sink
from kit import librdkafka_log, tracing
from kit.kafka import KafkaSettings
from kit.logs import take_over
from kit.settings import TracingSettings

logger = logging.getLogger(__name__)

_FAILED = 1
# Leaving the group comes after the drain, and can hang inside librdkafka; most supervisors kill after ten seconds.
_WATCHDOG_SECONDS = DRAIN_SECONDS + 4.0


def run() -> int:
    """Serve until a signal, then settle and commit; a watchdog ends what hangs after that, with exit status 1."""
    kafka, topics, settings = KafkaSettings.load(), TopicSettings.load(), SinkSettings.load()
    tracing_settings = TracingSettings.load()
    librdkafka_log.configure(settings.log_format)
    take_over()
    tracing.set_up("audit_sink", tracing_settings)
    client = connect_for_bulk(ElasticsearchSettings.load(), settings.in_flight + 1)
    sink = Sink(kafka, topics, settings, client)

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not sink.stopping.is_set():
            sink.stopping.set()
            watchdog = threading.Timer(_WATCHDOG_SECONDS, _give_up)
            watchdog.daemon = True
            watchdog.start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        serve_health(sink, settings.metrics_host, settings.metrics_port)
    except OSError as error:
        print(f"audit_sink: AUDIT_SINK_METRICS_HOST, AUDIT_SINK_METRICS_PORT: {error}", file=sys.stderr)
        return _FAILED
    sink.run()
    logger.info("stopped")
    return 0


def _give_up() -> None:
    logger.error(
        "still not stopped after %.0f s: ending at once; what is not committed is read again", _WATCHDOG_SECONDS
    )
    os._exit(_FAILED)
