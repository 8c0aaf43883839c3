"""`serve`: write events into the tables until SIGTERM."""

import argparse
import logging
import os
from collections.abc import Sequence

import pyarrow as pa

from contracts.query_event.topics import TopicSettings
from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from indexing import log
from kit.health import serve_health
from kit.kafka import KafkaSettings
from kit.logs import take_over
from kit.settings import ConfigurationError
from kit.stop import stop_on_signals
from lake.enrichment.assets import Assets
from lake.enrichment.networks import Networks
from lake.serve.group import Group
from lake.serve.loop import DRAIN_SECONDS, Loop
from lake.serve.rows import RowBuilder
from lake.serve.settings import ServeSettings
from lake.serve.watch import watch_account
from lake.serve.writer import Writer
from lake.tables import Lake
from lake.user_key import UserKeys

logger = logging.getLogger(__name__)

# A commit that is under way may take longer, and leaving the group can hang; most supervisors kill after ten seconds.
_STOP_SECONDS = DRAIN_SECONDS + 4.0


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal, then commit and leave; a watchdog ends a process that hangs after that, with status 1."""
    argparse.ArgumentParser(
        prog="python -m lake serve", description="Write events into the tables until SIGTERM."
    ).parse_args(arguments)
    _keep_small()
    settings, kafka, topics = ServeSettings.load(), KafkaSettings.load(), TopicSettings.load()
    elasticsearch = ElasticsearchExchange.to(ElasticsearchSettings.load(), connections=1)
    log.configure("lake", settings.log_format)
    take_over()
    builder = RowBuilder(UserKeys(settings), Networks(settings.mmdb), Assets(elasticsearch, settings))
    group = Group(kafka, topics.topic, settings.group_id)
    loop = Loop(settings, group, Writer(Lake(settings)), builder)

    stop_on_signals(loop.stopping, _STOP_SECONDS)
    try:
        serve_health(loop, "lake", settings.metrics_host, settings.metrics_port)
    except OSError as error:
        raise ConfigurationError(f"LAKE_METRICS_HOST, LAKE_METRICS_PORT: {error}") from None
    watch_account(Lake(settings), loop.has_first_partition)
    loop.run()
    logger.info("stopped")
    return 0


def _keep_small() -> None:
    """Let libraries keep less memory: a quarter less of the whole at a commit of 64 MiB, at the same speed."""
    # delta-rs keeps buffers for each of its threads.
    os.environ.setdefault("TOKIO_WORKER_THREADS", "1")
    pa.set_memory_pool(pa.system_memory_pool())
