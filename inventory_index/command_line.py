"""Command line of the inventory's indexer, as ``indexing.command_line`` has it.

It has no ``replay``: a document that was refused is sent again as it is now, never as it was then
(``python -m gateway verify --repair``).
"""

from collections.abc import Sequence

from contracts.console_event.topics import ConsoleTopicSettings
from contracts.inventory_change.topics import InventoryTopicSettings
from contracts.query_event.topics import TopicSettings
from indexing import command_line
from indexing.commands import serve
from indexing.program import Program, TopicNames
from inventory_index.grants import grants
from inventory_index.progress import ProgressWriter
from inventory_index.projection import InventoryProjection
from inventory_index.settings import IndexerSettings
from inventory_index.topics import topics


def _names() -> TopicNames:
    names = InventoryTopicSettings.load()
    return TopicNames(names.topic, names.dlq_topic)


PROGRAM: Program = Program(
    package="inventory_index",
    description="Index the inventory.",
    consumer=InventoryProjection.name,
    member="indexer",
    record="change",
    settings=IndexerSettings.load,
    names=_names,
    serve=lambda: serve.run(PROGRAM, InventoryProjection(), ProgressWriter.connect),
    topics=lambda replicas: topics(InventoryTopicSettings.load(), replicas),
    grants=lambda: grants(
        InventoryTopicSettings.load(),
        TopicSettings.load(),
        ConsoleTopicSettings.load(),
        IndexerSettings.load().group_id,
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the result is the exit status."""
    return command_line.main(PROGRAM, arguments)
