"""Command line of the audit sink, as ``indexing.command_line`` has it."""

from collections.abc import Sequence

from audit_sink.grants import grants
from audit_sink.projection import AuditProjection
from audit_sink.settings import SinkSettings
from audit_sink.topics import topics
from contracts.console_event.topics import ConsoleTopicSettings
from contracts.query_event.topics import TopicSettings
from indexing import command_line
from indexing.commands import serve
from indexing.program import Program, TopicNames


def _names() -> TopicNames:
    names = TopicSettings.load()
    return TopicNames(names.topic, names.dlq_topic)


def _projection() -> AuditProjection:
    return AuditProjection(SinkSettings.load().index_prefix)


PROGRAM: Program = Program(
    package="audit_sink",
    description="Index the audit trail.",
    consumer=AuditProjection.name,
    member="sink",
    record="event",
    settings=SinkSettings.load,
    names=_names,
    serve=lambda: serve.run(PROGRAM, _projection()),
    topics=lambda replicas: topics(TopicSettings.load(), ConsoleTopicSettings.load(), replicas),
    grants=lambda: grants(TopicSettings.load(), ConsoleTopicSettings.load(), SinkSettings.load().group_id),
    projection=_projection,
)


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the result is the exit status."""
    return command_line.main(PROGRAM, arguments)
