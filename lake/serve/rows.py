"""Rows of the tables made of records: those that are events, enriched, and those that are not."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

import pyarrow as pa
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from contracts.invalid import InvalidReason, InvalidRecord
from contracts.query_event.daily_index import event_day
from contracts.query_event.event import NO_DSL, AuditEvent
from contracts.query_event.reader import decode
from lake.enrichment.assets import Assets
from lake.enrichment.networks import Networks, Origin
from lake.enrichment.shapes import NO_SHAPE, shape
from lake.metrics import ENRICHMENT_MISSES
from lake.tables import EVENTS, REJECTED
from lake.user_key import UserKeys

logger = logging.getLogger(__name__)

_US_PER_MS = 1_000
_MS_PER_HOUR = 3_600_000
_MS_PER_DAY = 24 * _MS_PER_HOUR
_LAST_MS = 253_402_300_799_999
"""The last of the year 9999."""
_EPOCH = date(1970, 1, 1).toordinal()
_NO_ORIGIN = Origin()
_NO_DSL = bytes(NO_DSL)


class Rows(NamedTuple):
    """Rows of the tables ``events`` and ``rejected``."""

    events: pa.RecordBatch
    rejected: pa.RecordBatch


class RowBuilder:  # pylint: disable=too-few-public-methods  # one thing is made
    """Makes rows of records.

    Args:
        user_keys: makes the users' keys.
        networks: knows where addresses belong.
        assets: knows what has which address.
    """

    def __init__(self, user_keys: UserKeys, networks: Networks, assets: Assets) -> None:
        self._key = user_keys.of
        self._networks = networks
        self._assets = assets
        self._has_arrival_times = True

    def build(self, records: Sequence[Message], topic_id: str) -> Rows:
        """Make the rows of records of one topic; each is a row of one of the tables.

        Args:
            records: the records.
            topic_id: the id of their topic.
        """
        self._networks.refresh()
        events, rejected = [], []
        for record in records:
            kind, kafka_ms = record.timestamp()
            if kind != TIMESTAMP_LOG_APPEND_TIME and self._has_arrival_times:
                self._has_arrival_times = False
                logger.error(
                    "the topic takes producers' word for the time: set its message.timestamp.type=LogAppendTime"
                )
            try:
                events.append(self._event(decode(record.value()), record, topic_id, kafka_ms))
            except InvalidRecord as error:
                rejected.append(_rejected(record, topic_id, kafka_ms, error))
        return Rows(self._event_rows(events), _batch(REJECTED.schema, rejected))

    def _event(self, event: AuditEvent, record: Message, topic_id: str, kafka_ms: int) -> tuple[Any, ...]:
        """Make a row: the columns of ``events`` in their order, with the address where the asset will be."""
        # pylint: disable=too-many-locals  # each is read more than once, of every event
        data, metadata = event.data, event.metadata
        error, target, user_id, address = data.error, data.target, event.user_id, metadata.client_ip
        day, hour = _day_and_hour(event.timestamp[:13], kafka_ms // _MS_PER_HOUR)
        is_query = data.query is not None and event.event_type.startswith("query.")
        text, fields = shape(data.query or "") if is_query else NO_SHAPE
        network, country, organisation = _NO_ORIGIN if address is None else self._networks.of(address)
        dsl = bytes(data.dsl)
        ids = None if target is None else target.id
        return (
            day,
            hour,
            _microseconds(event.timestamp),
            event.event_id,
            event.event_type,
            user_id,
            None if user_id is None else self._key(user_id),
            data.query,
            text,
            fields,
            data.index,
            None if dsl == _NO_DSL else dsl,
            data.hits,
            data.took_ms,
            data.status,
            None if error is None else error.code,
            None if error is None else error.message,
            None if target is None else target.type,
            [ids] if isinstance(ids, str) else ids,
            None if target is None else target.version,
            None if target is None else target.changed,
            metadata.request_id,
            metadata.trace_id,
            address,
            network,
            country,
            organisation,
            address,
            address,
            metadata.user_agent,
            metadata.auth_scheme,
            metadata.service,
            metadata.service_version,
            topic_id,
            record.partition(),
            record.offset(),
            _kafka_time(kafka_ms),
            None,
        )

    def _event_rows(self, rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
        if not rows:
            return _batch(EVENTS.schema, [])
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        addresses = columns[_ADDRESS]
        known = self._assets.of(address for address in addresses if address is not None)
        assets = [known.get(address) for address in addresses]
        columns[_ASSET_ID] = [None if asset is None else asset.id for asset in assets]
        columns[_ASSET_OWNER] = [None if asset is None else asset.owner for asset in assets]
        self._count_misses(len(rows) - addresses.count(None), assets, columns[_COUNTRY])
        return _columns(EVENTS.schema, columns)

    def _count_misses(self, asked: int, assets: list[Any], countries: Sequence[Any]) -> None:
        """Count the events whose address a source that is there does not know."""
        for source, found in (
            (self._networks, len(countries) - countries.count(None)),
            (self._assets, len(assets) - assets.count(None)),
        ):
            if source.is_used:
                ENRICHMENT_MISSES.labels(source.name).inc(asked - found)


_ADDRESS, _COUNTRY, _ASSET_ID, _ASSET_OWNER = map(
    EVENTS.schema.get_field_index, ("client_ip", "country", "asset_id", "asset_owner")
)


def _rejected(record: Message, topic_id: str, kafka_ms: int, error: InvalidRecord) -> tuple[Any, ...]:
    # The client gives pairs, and takes a mapping too.
    pairs = cast(list[tuple[str, bytes | None]], record.headers() or [])
    headers = [{"name": name, "value": value} for name, value in pairs]
    time = _kafka_time(kafka_ms)
    place = (topic_id, record.partition(), record.offset(), time)
    key, value = record.key(), record.value()
    return (time // _US_PER_MS // _MS_PER_DAY, *place, str(error.reason), error.detail, key, value, headers)


def _batch(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    return _columns(schema, list(zip(*rows, strict=True)) if rows else [[] for _ in schema])


def _columns(schema: pa.Schema, columns: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    return pa.record_batch(
        [pa.array(column, type_) for column, type_ in zip(columns, list(schema.types), strict=True)], schema=schema
    )


@lru_cache(maxsize=4096)
def _day_and_hour(event_hour: str, kafka_hours: int) -> tuple[int, int]:
    """The day, counted from 1970, and the hour that a row is put under: the event's own, or Kafka's for both.

    Args:
        event_hour: the event's own time up to its hour.
        kafka_hours: when Kafka had it, in hours since 1970.
    """
    day = event_day(event_hour, kafka_hours * _MS_PER_HOUR)
    own = day.isoformat() == event_hour[:10]
    return day.toordinal() - _EPOCH, int(event_hour[11:]) if own else kafka_hours % 24


def _microseconds(timestamp: str) -> int:
    """An event's time in microseconds since 1970.

    Raises:
        InvalidRecord: there is no such time, as on 30 February.
    """
    seconds = int(timestamp[17:19])
    minute = _minute(timestamp[:16])
    if minute is None or seconds > 59:
        raise InvalidRecord(InvalidReason.SCHEMA, "timestamp: Expected a time that there is")
    return minute + seconds * 1_000_000 + int(timestamp[20:23]) * _US_PER_MS


@lru_cache(maxsize=4096)
def _minute(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(f"{text}:00+00:00").timestamp()) * 1_000_000
    except ValueError:
        return None


def _kafka_time(milliseconds: int) -> int:
    """The time at which Kafka had a record, in microseconds; 1970 for times of a producer's that no calendar has."""
    return milliseconds * _US_PER_MS if 0 <= milliseconds <= _LAST_MS else 0
