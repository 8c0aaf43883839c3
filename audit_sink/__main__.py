"""`python -m audit_sink` runs the sink in the foreground; `python -m audit_sink topics` creates its topics."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from confluent_kafka import KafkaException

from audit_sink import logs
from audit_sink.health import serve_health
from audit_sink.kafka import KafkaSettings, TopicSettings
from audit_sink.settings import SinkSettings
from audit_sink.sink import DRAIN_SECONDS, Sink
from audit_sink.topics import create_topics
from elastic.client import connect
from elastic.settings import ConfigurationError, ElasticsearchSettings

logger = logging.getLogger("audit_sink")

_FAILED = 1
_BAD_SETTINGS = 2
_BULK_SECONDS = 30.0
# Leaving the group comes after the drain, and can hang inside librdkafka; most supervisors kill after ten seconds.
_WATCHDOG_SECONDS = DRAIN_SECONDS + 4.0


def main(arguments: Sequence[str]) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, 1 where a dependency failed for good, 2 for settings that nothing can start with.
    """
    parser = argparse.ArgumentParser(prog="python -m audit_sink", description="Index the audit trail.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="move events into Elasticsearch until SIGTERM (the default)")
    commands.add_parser("topics", help="create the topics that are not there yet")
    options = parser.parse_args(arguments)
    logs.configure()
    try:
        return _topics() if options.command == "topics" else _serve()
    except ConfigurationError as error:
        print(f"audit_sink: {error}", file=sys.stderr)
        return _BAD_SETTINGS
    except KafkaException as error:
        print(f"audit_sink: Kafka: {error.args[0].str()}", file=sys.stderr)
        return _FAILED
    except OSError as error:  # the port of metrics and health
        print(f"audit_sink: AUDIT_SINK_METRICS_HOST, AUDIT_SINK_METRICS_PORT: {error}", file=sys.stderr)
        return _FAILED


def _topics() -> int:
    for line in create_topics(KafkaSettings.load(), TopicSettings.load()):
        print(line)
    return 0


def _serve() -> int:
    kafka, topics, settings = KafkaSettings.load(), TopicSettings.load(), SinkSettings.load()
    client = connect(ElasticsearchSettings.load(), request_timeout=_BULK_SECONDS, connections=settings.in_flight + 1)
    sink = Sink(kafka, topics, settings, client)

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not sink.stopping.is_set():
            sink.stopping.set()
            watchdog = threading.Timer(_WATCHDOG_SECONDS, _give_up)
            watchdog.daemon = True
            watchdog.start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    serve_health(sink, settings.metrics_host, settings.metrics_port)
    sink.run()
    logger.info("stopped")
    return 0


def _give_up() -> None:
    logger.error(
        "still not stopped after %.0f s: ending at once; what is not committed is read again", _WATCHDOG_SECONDS
    )
    os._exit(_FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
