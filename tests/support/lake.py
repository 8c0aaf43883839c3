"""The lake's tables with rows in them, without Kafka."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message
from pydantic import SecretStr

from contracts.query_event.event import AuditEvent, encode, headers
from elastic.exchange import ElasticsearchExchange
from lake.enrichment.assets import Assets
from lake.enrichment.networks import Networks
from lake.serve.batch import Batch
from lake.serve.rows import RowBuilder
from lake.serve.settings import ServeSettings
from lake.serve.writer import Writer
from lake.tables import EVENTS, Lake, TableSpec
from lake.user_key import UserKeys

TOPIC_ID = "topic-of-the-tests"
USER_KEY = "a key that only the tests know, long enough"


def lake_in(folder: Path) -> Lake:
    """A lake in a folder; its tables are made as they are opened."""
    return Lake(settings_in(folder))


def settings_in(folder: Path, **others: object) -> ServeSettings:
    """Settings of a lake in a folder."""
    return ServeSettings.model_validate({"url": str(folder / "lake"), "user_key": SecretStr(USER_KEY)} | others)


def builder(settings: ServeSettings) -> RowBuilder:
    """A maker of rows as the writer has it."""
    elsewhere = ElasticsearchExchange("http://127.0.0.1:9", connections=1)
    return RowBuilder(UserKeys(settings), Networks(settings.mmdb), Assets(elsewhere, settings))


def record(
    value: bytes | AuditEvent | None, offset: int, partition: int = 0, kafka_time: datetime | None = None
) -> Message:
    """A record as Kafka gives it."""
    kafka_ms = int((kafka_time or datetime.now(UTC)).timestamp() * 1000)
    return Message(
        topic="query-events",
        partition=partition,
        offset=offset,
        key=b"key",
        value=encode(value) if isinstance(value, AuditEvent) else value,
        headers=[*headers(value, None)] if isinstance(value, AuditEvent) else [],
        timestamp=(TIMESTAMP_LOG_APPEND_TIME, kafka_ms),
    )


def write_events(
    lake: Lake,
    events: Iterable[AuditEvent | bytes | None],
    partition: int = 0,
    kafka_time: datetime | None = None,
    topic_id: str = TOPIC_ID,
) -> None:
    """Commit events, and values that are none, at the next offsets of a partition, as the writer does.

    Args:
        lake: the tables.
        events: the records' events or values.
        partition: of the topic.
        kafka_time: when Kafka had them; now, if it is not given.
        topic_id: the topic's.
    """
    writer = Writer(lake)
    start = writer.positions(topic_id, [partition])[partition]
    records = [record(each, start + number, partition, kafka_time) for number, each in enumerate(events)]
    assert writer.commit(batch_of(records, lake, start, topic_id)), "somebody else writes"


def batch_of(records: Sequence[Message], lake: Lake, start: int = 0, topic_id: str = TOPIC_ID) -> Batch:
    """A batch of records whose partitions are written up to ``start``."""
    batch = Batch(topic_id)
    for partition in {each.partition() or 0 for each in records}:
        batch.begin(partition, start)
    taken, jumps = batch.in_order(records)
    assert len(taken) == len(records) and not jumps
    if taken:
        settings = ServeSettings.model_validate({"url": lake.settings.url, "user_key": SecretStr(USER_KEY)})
        batch.add(taken, builder(settings), 0.0)
    return batch


def rows(lake: Lake, spec: TableSpec = EVENTS) -> pa.Table:
    """All rows of a table, by partition and offset."""
    order = [("partition", "ascending"), ("first" if "first" in spec.schema.names else "offset", "ascending")]
    return lake.open(spec).to_pyarrow_table().sort_by(order)
