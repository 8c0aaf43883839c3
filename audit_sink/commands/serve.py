"""`serve`: move events into Elasticsearch until SIGTERM."""

from audit_sink import log
from audit_sink.projection import AuditProjection
from audit_sink.settings import SinkSettings
from contracts.query_event.topics import TopicSettings
from elastic.settings import ElasticsearchSettings
from indexing.consumer import serve
from kit import tracing
from kit.kafka import KafkaSettings
from kit.logs import take_over
from kit.settings import TracingSettings


def run() -> int:
    """Serve until a signal, then settle and commit; see ``indexing.consumer``."""
    kafka, topics, settings = KafkaSettings.load(), TopicSettings.load(), SinkSettings.load()
    tracing_settings = TracingSettings.load()
    log.configure(settings.log_format)
    take_over()
    tracing.set_up("audit_sink", tracing_settings)
    serve(
        AuditProjection(settings.index_prefix),
        settings,
        topic=topics.topic,
        dead_letter_topic=topics.dlq_topic,
        kafka=kafka,
        elasticsearch=ElasticsearchSettings.load(),
    )
    return 0
