"""`status`: how far behind a consumer is, what holds it up, and what it gave up on."""

import time
from collections import Counter
from collections.abc import Iterator

from indexing.backlog import PartitionBacklog, count_members, read_backlog
from indexing.dead_letter import stored_letter
from indexing.dead_letter_reader import DeadLetterReader
from indexing.members import MemberUnreachable, addresses, ask
from indexing.program import Program
from kit.kafka import KafkaSettings
from kit.terminal import printable

_COLUMNS = ("partition", "committed", "end", "lag")


def run(program: Program) -> int:
    """Print the group's lag, its oldest unsettled record, the running consumers' own words, and the dead letters."""
    kafka, names, settings = KafkaSettings.load(), program.names(), program.settings()
    backlogs = read_backlog(kafka, names.topic, program.consumer, settings.group_id)
    members = count_members(kafka, settings.group_id)
    print(f"group {settings.group_id} on {names.topic}: {members} member{'' if members == 1 else 's'}")
    for line in [*lag_table(backlogs), oldest_line(backlogs, time.time(), program.record)]:
        print(line)
    for line in _member_lines(program):
        print(line)
    print(_dead_letter_line(kafka, program))
    return 0


def lag_table(backlogs: list[PartitionBacklog]) -> Iterator[str]:
    """The partitions' committed offsets, ends and lags in aligned columns, and the lag in all."""
    rows = [_COLUMNS] + [
        (str(each.partition), "none" if each.committed is None else str(each.committed), str(each.end), str(each.lag))
        for each in backlogs
    ]
    rows.append(("in all", "", "", str(sum(each.lag for each in backlogs))))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def oldest_line(backlogs: list[PartitionBacklog], now: float, record: str) -> str:
    """The record that has waited longest since Kafka had it; ``now`` is in seconds since 1970."""
    behind = [each for each in backlogs if each.lag]
    if not behind:
        return f"oldest unsettled {record}: none"
    waiting = [(each.oldest_ms, each) for each in behind if each.oldest_ms is not None]
    if not waiting:
        return f"oldest unsettled {record}: Kafka did not give it in time"
    oldest_ms, oldest = min(waiting, key=lambda pair: pair[0])
    age = max(0.0, now - oldest_ms / 1000)
    return f"oldest unsettled {record}: {age:.1f} s, partition {oldest.partition}, offset {oldest.start}"


def _member_lines(program: Program) -> Iterator[str]:
    settings = program.settings()
    host, port = (f"{settings.model_config['env_prefix']}METRICS_{name}" for name in ("HOST", "PORT"))
    try:
        found = addresses(settings.metrics_host, settings.metrics_port)
    except MemberUnreachable as error:
        yield f"{program.member} at {settings.metrics_host}: not reached: {error} ({host})"
        return
    for address in found:
        try:
            member = ask(address, program.consumer)
        except MemberUnreachable as error:
            yield f"{program.member} at {address}: not reached: {error} ({host}, {port})"
        else:
            oldest = f"{member.oldest_seconds:.1f} s" if member.oldest_seconds else "none"
            paused = f"{member.paused} partitions paused"
            yield f"{program.member} at {address}: {paused}, oldest {program.record} in its hands: {oldest}"


def _dead_letter_line(kafka: KafkaSettings, program: Program) -> str:
    topic = program.names().dead_letter_topic
    reasons: Counter[str] = Counter()
    for record in DeadLetterReader(kafka, topic, program.consumer).unreplayed():
        try:
            reasons[stored_letter(record).reason] += 1
        except ValueError:
            reasons[f"not of the {program.member}'s making"] += 1
    by_reason = ", ".join(f"{count} {printable(reason)}" for reason, count in reasons.most_common())
    return f"dead letters in {topic}: {reasons.total()}" + (f" ({by_reason})" if by_reason else "")
