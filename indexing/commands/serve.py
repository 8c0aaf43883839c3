"""`serve`: move records into Elasticsearch until SIGTERM."""

from collections.abc import Callable

from elastic.settings import ElasticsearchSettings
from indexing import log
from indexing.consumer import serve
from indexing.loop import Progress
from indexing.program import Program
from indexing.projection import Projection
from kit import tracing
from kit.kafka import KafkaSettings
from kit.logs import take_over
from kit.settings import TracingSettings


def run(
    program: Program, projection: Projection, progress: Callable[[ElasticsearchSettings], Progress] | None = None
) -> int:
    """Serve until a signal, then settle and commit; see ``indexing.consumer``.

    Args:
        program: the program.
        projection: what a record of the topic becomes.
        progress: makes somebody who is told of what is settled.
    """
    kafka, names, settings = KafkaSettings.load(), program.names(), program.settings()
    tracing_settings, elasticsearch = TracingSettings.load(), ElasticsearchSettings.load()
    log.configure(program.package, settings.log_format)
    take_over()
    tracing.set_up(program.package, tracing_settings)
    serve(
        projection,
        settings,
        topic=names.topic,
        dead_letter_topic=names.dead_letter_topic,
        kafka=kafka,
        elasticsearch=elasticsearch,
        progress=None if progress is None else progress(elasticsearch),
    )
    return 0
