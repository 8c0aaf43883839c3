"""`python -m audit_sink` runs the sink in the foreground; its other commands look after the topics and dead letters."""

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
from audit_sink.dead_letter import stored_letter
from audit_sink.dead_letter_reader import DeadLetterReader
from audit_sink.health import serve_health
from audit_sink.kafka import KafkaSettings, TopicSettings
from audit_sink.replay import ReplayStopped, Tally, replay
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
    commands.add_parser("dead-letters", help="list the dead letters: original coordinates, reason, detail")
    commands.add_parser("replay", help="index the dead letters whose cause is mended; repeatable without doubling")
    options = parser.parse_args(arguments)
    logs.configure()
    try:
        return _COMMANDS[options.command or "serve"]()
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


def _dead_letters() -> int:
    for record in DeadLetterReader(KafkaSettings.load(), TopicSettings.load().dlq_topic):
        try:
            letter = stored_letter(record)
        except ValueError as error:
            print(f"offset {record.offset()}: not of the sink's making: {error}")
            continue
        # As a literal: details quote what was sent, and that may hold what a terminal would obey.
        print(f"{letter.topic} {letter.partition}:{letter.offset} {letter.reason} {ascii(letter.detail)[1:-1]}")
    return 0


def _replay() -> int:
    reader = DeadLetterReader(KafkaSettings.load(), TopicSettings.load().dlq_topic)
    client = connect(ElasticsearchSettings.load(), request_timeout=_BULK_SECONDS)
    tally = Tally()
    try:
        for tally in replay(reader, client, SinkSettings.load().index_prefix):
            if sys.stderr.isatty():
                print(f"\r{tally.read} of {reader.count} dead letters", end="", file=sys.stderr, flush=True)
    except ReplayStopped as error:
        print(f"audit_sink: stopped after {tally.read} of {reader.count} dead letters: {error}", file=sys.stderr)
        return _FAILED
    if sys.stderr.isatty():
        print(file=sys.stderr)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()))
    print(f"{tally.read} dead letters read" + (f": {outcomes}" if outcomes else ""))
    for why in tally.still_dead:
        print(f"  {ascii(why)[1:-1]}")
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


_COMMANDS = {"serve": _serve, "topics": _topics, "dead-letters": _dead_letters, "replay": _replay}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
