"""`status`: how far behind the sink is, what holds it up, and what it gave up on."""

import time
from collections import Counter
from collections.abc import Iterator

from audit_sink.projection import AuditProjection
from audit_sink.settings import SinkSettings
from contracts.query_event.topics import TopicSettings
from indexing.backlog import PartitionBacklog, count_members, read_backlog
from indexing.dead_letter import stored_letter
from indexing.dead_letter_reader import DeadLetterReader
from indexing.members import MemberUnreachable, addresses, ask
from kit.kafka import KafkaSettings
from kit.terminal import printable

_COLUMNS = ("partition", "committed", "end", "lag")


def run() -> int:
    """Print the group's lag, its oldest unsettled event, the running sinks' own words, and the dead letters."""
    kafka, topics, settings = KafkaSettings.load(), TopicSettings.load(), SinkSettings.load()
    backlogs = read_backlog(kafka, topics.topic, AuditProjection.name, settings.group_id)
    members = count_members(kafka, settings.group_id)
    print(f"group {settings.group_id} on {topics.topic}: {members} member{'' if members == 1 else 's'}")
    for line in [*lag_table(backlogs), oldest_line(backlogs, time.time())]:
        print(line)
    for line in _member_lines(settings):
        print(line)
    print(_dead_letter_line(kafka, topics.dlq_topic))
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


def oldest_line(backlogs: list[PartitionBacklog], now: float) -> str:
    """Which event has waited longest since Kafka had it; ``now`` is in seconds since 1970."""
    behind = [each for each in backlogs if each.lag]
    if not behind:
        return "oldest unsettled event: none"
    waiting = [(each.oldest_ms, each) for each in behind if each.oldest_ms is not None]
    if not waiting:
        return "oldest unsettled event: Kafka did not give it in time"
    oldest_ms, oldest = min(waiting, key=lambda pair: pair[0])
    age = max(0.0, now - oldest_ms / 1000)
    return f"oldest unsettled event: {age:.1f} s, partition {oldest.partition}, offset {oldest.start}"


def _member_lines(settings: SinkSettings) -> Iterator[str]:
    try:
        found = addresses(settings.metrics_host, settings.metrics_port)
    except MemberUnreachable as error:
        yield f"sink at {settings.metrics_host}: not reached: {error} (AUDIT_SINK_METRICS_HOST)"
        return
    for address in found:
        try:
            member = ask(address, AuditProjection.name)
        except MemberUnreachable as error:
            yield f"sink at {address}: not reached: {error} (AUDIT_SINK_METRICS_HOST, AUDIT_SINK_METRICS_PORT)"
        else:
            oldest = f"{member.oldest_seconds:.1f} s" if member.oldest_seconds else "none"
            yield f"sink at {address}: {member.paused} partitions paused, oldest event in its hands: {oldest}"


def _dead_letter_line(kafka: KafkaSettings, topic: str) -> str:
    reasons: Counter[str] = Counter()
    for record in DeadLetterReader(kafka, topic, AuditProjection.name).unreplayed():
        try:
            reasons[stored_letter(record).reason] += 1
        except ValueError:
            reasons["not of the sink's making"] += 1
    by_reason = ", ".join(f"{count} {printable(reason)}" for reason, count in reasons.most_common())
    return f"dead letters in {topic}: {reasons.total()}" + (f" ({by_reason})" if by_reason else "")
