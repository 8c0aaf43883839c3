"""`reconcile`: prove that nothing is lost or doubled, or say by how much."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson

from contracts.query_event.topics import TopicSettings
from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from kit.kafka import KafkaSettings
from lake.account import PartitionAccount, account
from lake.reconcile import Day, DayState, Topic, ask_kafka, compare_days
from lake.settings import LakeSettings
from lake.tables import Lake

_DIFFERENT = 1


def main(arguments: Sequence[str]) -> int:
    """Print the account of offsets and the days; 1 where something differs."""
    parser = argparse.ArgumentParser(
        prog="python -m lake reconcile",
        description="Compare the lake's account of offsets with Kafka, and its events by day with Elasticsearch; "
        "exit with 1 where something differs.",
    )
    parser.add_argument("--json", action="store_true", help="write JSON instead of tables")
    parser.add_argument(
        "--index-prefix", default="query-logs-", metavar="PREFIX", help="what daily indices' names start with"
    )
    options = parser.parse_args(arguments)
    lake = Lake(LakeSettings.load())
    topic = ask_kafka(KafkaSettings.load(), TopicSettings.load().topic)
    elasticsearch = ElasticsearchExchange.to(ElasticsearchSettings.load(), connections=1)
    partitions = account(lake, [(topic.topic_id, len(topic.watermarks))], is_thorough=True)
    days = compare_days(lake, elasticsearch, options.index_prefix, datetime.now(UTC))
    differences = [*_partition_differences(partitions, topic), *_day_differences(days)]
    if options.json:
        sys.stdout.write(_json(partitions, topic, days, differences))
    else:
        print("\n".join(_tables(partitions, topic, days, differences)))
    return _DIFFERENT if differences else 0


def _partition_differences(partitions: list[PartitionAccount], topic: Topic) -> Iterator[str]:
    for each in partitions:
        name = f"partition {each.partition} of topic {each.topic_id}"
        if each.difference > 0:
            yield f"{name}: {each.difference} offsets are in no place"
        if each.difference < 0 or each.doubled:
            yield f"{name}: {max(each.doubled, -each.difference)} offsets are in two places"
        _, high = topic.watermarks.get(each.partition, (0, 0))
        if each.topic_id == topic.topic_id and each.position > high:
            yield f"{name}: the lake has {each.position} offsets, and Kafka ends at {high}: the broker lost records"


def _day_differences(days: list[Day]) -> Iterator[str]:
    for each in days:
        if each.state is DayState.DIFFERENT:
            yield f"{each.day}: the lake has {each.lake} events, and Elasticsearch {each.elasticsearch}"


def _watermarks(each: PartitionAccount, topic: Topic) -> tuple[int, int] | tuple[None, None]:
    """The partition's first offset and the one after its last; None for a topic that was deleted."""
    return topic.watermarks.get(each.partition, (None, None)) if each.topic_id == topic.topic_id else (None, None)


def _json(partitions: list[PartitionAccount], topic: Topic, days: list[Day], differences: list[str]) -> str:
    found: dict[str, Any] = {
        "differences": differences,
        "partitions": [
            asdict(each) | {"difference": each.difference} | dict(zip(("low", "high"), _watermarks(each, topic)))
            for each in partitions
        ],
        "days": [asdict(each) for each in days],
    }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _tables(partitions: list[PartitionAccount], topic: Topic, days: list[Day], differences: list[str]) -> Iterator[str]:
    counts = ("position", "events", "copies", "rejected", "gaps", "erased", "doubled", "difference")
    yield _line("topic", ("partition", *counts, "unread"))
    for each in partitions:
        high = _watermarks(each, topic)[1]
        unread = "deleted" if high is None else max(0, high - each.position)
        yield _line(each.topic_id, (each.partition, *(getattr(each, name) for name in counts), unread))
    yield ""
    yield _line("day", ("lake", "elasticsearch", "state"))
    for day in days:
        yield _line(str(day.day), (day.lake, day.elasticsearch, day.state))
    yield ""
    yield from differences or ["nothing differs"]


def _line(name: str, columns: Sequence[object]) -> str:
    return f"{name:<24}" + "".join(f"{column!s:>14}" for column in columns)
