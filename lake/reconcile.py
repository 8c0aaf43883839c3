"""Comparison of the lake with itself, with Kafka and with Elasticsearch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import orjson
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from elastic.exchange import ElasticsearchExchange
from kit.http_exchange import NoAnswer
from kit.kafka import LIBRDKAFKA, KafkaSettings, client_config, describe_topic
from lake import engine
from lake.errors import LakeError
from lake.tables import EVENTS, Lake

_ANSWER_SECONDS = 30.0
_MAX_DAYS = 10_000
_SETTLED = timedelta(hours=1)
"""A day is compared once it has ended for so long, as events of its last minutes are still on their way."""


class DayState(StrEnum):
    """Meaning of the counts of a day."""

    SAME = "same"
    DIFFERENT = "different"
    NOT_KEPT = "not kept"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Day:
    """Different events of a day in the lake and in Elasticsearch, which keeps days for a while."""

    day: date
    lake: int
    elasticsearch: int
    state: DayState


@dataclass(frozen=True, slots=True)
class Topic:
    """The topic as Kafka has it: its id, and of each partition the first offset and the one after the last."""

    topic_id: str
    watermarks: Mapping[int, tuple[int, int]]


def ask_kafka(kafka: KafkaSettings, topic: str) -> Topic:
    """Ask for a topic's id and watermarks.

    Raises:
        confluent_kafka.KafkaException: Kafka does not answer within 30 seconds, or has no such topic.
    """
    admin = AdminClient({**client_config(kafka)}, logger=LIBRDKAFKA)
    described = describe_topic(admin, topic, _ANSWER_SECONDS).result()
    numbers = [partition.id for partition in described.partitions]
    ends = []
    which: OffsetSpec
    for which in (OffsetSpec.earliest(), OffsetSpec.latest()):  # type: ignore[no-untyped-call]  # it has no types
        asked = admin.list_offsets(
            {TopicPartition(topic, number): which for number in numbers}, request_timeout=_ANSWER_SECONDS
        )
        ends.append({position.partition: future.result().offset for position, future in asked.items()})
    return Topic(str(described.topic_id), {number: (ends[0][number], ends[1][number]) for number in numbers})


def compare_days(lake: Lake, elasticsearch: ElasticsearchExchange, prefix: str, now: datetime) -> list[Day]:
    """Compare the different events of each day.

    Args:
        lake: the tables.
        elasticsearch: the cluster with the daily indices.
        prefix: what their names start with.
        now: decides which days have ended.

    Raises:
        LakeError: Elasticsearch does not answer.
        deltalake.exceptions.DeltaError: the table cannot be read.
        OSError: likewise.
    """
    indexed = _indexed(elasticsearch, prefix)
    with engine.connect(lake, (EVENTS,)) as connection:
        days = [row[0] for row in connection.sql("SELECT DISTINCT day FROM events").fetchall()]
        # A day after the other, which bounds memory.
        count = "SELECT count(DISTINCT event_id) FROM events WHERE day = ?"
        written = {day: connection.execute(count, [day]).fetchall()[0][0] for day in days}
    oldest = min(indexed, default=date.max)
    newest = (now.astimezone(UTC) - _SETTLED).date()
    return [
        Day(day, *counts, _state(day, counts, oldest, newest))
        for day in sorted(written.keys() | indexed.keys())
        for counts in [(written.get(day, 0), indexed.get(day, 0))]
    ]


def _state(day: date, counts: tuple[int, int], oldest: date, newest: date) -> DayState:
    if day >= newest:
        return DayState.OPEN
    if day < oldest:
        return DayState.NOT_KEPT
    return DayState.SAME if counts[0] == counts[1] else DayState.DIFFERENT


def _indexed(elasticsearch: ElasticsearchExchange, prefix: str) -> dict[date, int]:
    """Count the documents of each daily index; an event is one document, whose id is its own."""
    search = {"size": 0, "aggs": {"index": {"terms": {"field": "_index", "size": _MAX_DAYS}}}}
    try:
        answer = elasticsearch.ask(
            "POST", f"/{prefix}*/_search?ignore_unavailable=true", timeout=_ANSWER_SECONDS, body=orjson.dumps(search)
        )
        if answer.status != HTTPStatus.OK:
            raise LakeError(f"Elasticsearch answers with HTTP {answer.status}: check ELASTICSEARCH_*, and its log")
        found: dict[str, Any] = orjson.loads(answer.body)
        buckets = found.get("aggregations", {}).get("index", {}).get("buckets", [])
        return {day: int(each["doc_count"]) for each in buckets if (day := _day(each["key"], prefix)) is not None}
    except (NoAnswer, ValueError, LookupError) as error:
        raise LakeError(f"Elasticsearch cannot be asked: {error}: check ELASTICSEARCH_URL") from None


def _day(index: str, prefix: str) -> date | None:
    """The day in an index's name; None for an index that is not a day's."""
    try:
        return datetime.strptime(index.removeprefix(prefix), "%Y.%m.%d").date()
    except ValueError:
        return None
