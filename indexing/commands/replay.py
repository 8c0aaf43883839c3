"""`replay`: index the dead letters whose cause is mended."""

import sys
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from indexing.dead_letter_reader import DeadLetterReader
from indexing.program import Program
from indexing.projection import Projection
from indexing.replay import REFUSED_AGAIN, ReplayStopped, Tally, replay
from indexing.replay_marker import mark_replayed
from kit.kafka import KafkaSettings
from kit.terminal import printable


def run(program: Program, make: Callable[[], Projection]) -> int:
    """Replay the whole topic once; with a progress bar where stderr is a terminal."""
    projection = make()
    kafka, topic = KafkaSettings.load(), program.names().dead_letter_topic
    reader = DeadLetterReader(kafka, topic, projection.name)
    elasticsearch = ElasticsearchExchange.to(ElasticsearchSettings.load(), connections=1)
    tally = Tally()
    try:
        with _progress() as progress:
            task = progress.add_task("dead letters", total=reader.count)
            for tally in replay(reader, elasticsearch, projection):
                progress.update(task, completed=tally.read)
    except ReplayStopped as error:
        print(f"{program.package}: stopped after {tally.read} of {reader.count} dead letters: {error}", file=sys.stderr)
        return 1
    # Those that were refused again may still be indexed once somebody has mended the cause, so they stay in the list.
    if tally.read and not tally.outcomes[REFUSED_AGAIN]:
        mark_replayed(kafka, topic, projection.name, reader.ends)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()))
    print(f"{tally.read} dead letters read" + (f": {outcomes}" if outcomes else ""))
    for why in tally.still_dead:
        print(f"  {printable(why)}")
    return 0


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
