"""`replay`: index the dead letters whose cause is mended."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from audit_sink.dead_letter_reader import DeadLetterReader
from audit_sink.kafka import KafkaSettings, TopicSettings
from audit_sink.replay import ReplayStopped, Tally, replay
from audit_sink.settings import SinkSettings
from audit_sink.terminal import printable
from audit_sink.writer import connect_for_bulk
from elastic.settings import ElasticsearchSettings


def run() -> int:
    """Replay the whole topic once; with a progress bar where stderr is a terminal."""
    prefix = SinkSettings.load().index_prefix
    reader = DeadLetterReader(KafkaSettings.load(), TopicSettings.load().dlq_topic)
    client = connect_for_bulk(ElasticsearchSettings.load())
    tally = Tally()
    try:
        with _progress() as progress:
            task = progress.add_task("dead letters", total=reader.count)
            for tally in replay(reader, client, prefix):
                progress.update(task, completed=tally.read)
    except ReplayStopped as error:
        print(f"audit_sink: stopped after {tally.read} of {reader.count} dead letters: {error}", file=sys.stderr)
        return 1
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()))
    print(f"{tally.read} dead letters read" + (f": {outcomes}" if outcomes else ""))
    for why in tally.still_dead:
        print(f"  {printable(why)}")
    return 0


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
