"""The lake's tables: their columns, and how each is opened.

Every offset of the topic that was read, from 0 to the version of its partition's transaction, is in exactly one place:
a row of ``events``, an entry of some row's ``copies``, a row of ``rejected``, inside a range of ``gaps``, or counted in
a row of ``erasures``. That is the account that ``reconcile`` checks.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from lake.settings import LakeSettings

_TIME = pa.timestamp("us", tz="UTC")
_PLACE = [("topic_id", pa.string()), ("partition", pa.int32()), ("offset", pa.int64())]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table as it is made.

    Attributes:
        name: its folder below the lake's address.
        schema: its columns.
        partition_by: the columns that files are put apart by.
        statistics: the columns whose least and greatest values the log keeps; never personal ones, because the log
            keeps them after a row is erased.
    """

    name: str
    schema: pa.Schema
    partition_by: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()


EVENTS = TableSpec(
    "events",
    pa.schema(
        [
            ("day", pa.date32()),
            ("hour", pa.int32()),
            ("time", _TIME),
            ("event_id", pa.string()),
            ("event_type", pa.string()),
            ("user_id", pa.string()),
            ("user_key", pa.string()),
            ("query", pa.string()),
            ("shape", pa.string()),
            ("fields", pa.list_(pa.string())),
            ("index", pa.string()),
            ("dsl", pa.string()),
            ("hits", pa.int64()),
            ("took_ms", pa.int32()),
            ("status", pa.int32()),
            ("error_code", pa.string()),
            ("error_message", pa.string()),
            ("target_type", pa.string()),
            ("target_ids", pa.list_(pa.string())),
            ("target_version", pa.int64()),
            ("target_changed", pa.list_(pa.string())),
            ("request_id", pa.string()),
            ("trace_id", pa.string()),
            ("client_ip", pa.string()),
            ("network", pa.string()),
            ("country", pa.string()),
            ("organisation", pa.string()),
            ("asset_id", pa.string()),
            ("asset_owner", pa.string()),
            ("user_agent", pa.string()),
            ("auth_scheme", pa.string()),
            ("service", pa.string()),
            ("service_version", pa.string()),
            *_PLACE,
            ("kafka_time", _TIME),
            ("copies", pa.list_(pa.struct(_PLACE))),
        ]
    ),
    partition_by=("day", "hour"),
    statistics=("time", "partition", "offset", "kafka_time"),
)
"""One row an event. ``network`` is the client's /24 or /48, ``copies`` has the places of the same event's other
records, which compaction removed (None before it, and where there are none). ``day`` and ``hour`` are UTC."""

REJECTED = TableSpec(
    "rejected",
    pa.schema(
        [
            ("day", pa.date32()),
            *_PLACE,
            ("kafka_time", _TIME),
            ("reason", pa.string()),
            ("detail", pa.string()),
            ("key", pa.binary()),
            ("value", pa.binary()),
            ("headers", pa.list_(pa.struct([("name", pa.string()), ("value", pa.binary())]))),
        ]
    ),
    partition_by=("day",),
    statistics=("partition", "offset", "kafka_time"),
)
"""One row a record that is no event; ``day`` is Kafka's."""

GAPS = TableSpec(
    "gaps",
    pa.schema(
        [
            ("topic_id", pa.string()),
            ("partition", pa.int32()),
            ("first", pa.int64()),
            ("next", pa.int64()),
            ("noticed", _TIME),
        ]
    ),
    statistics=("partition", "first", "next", "noticed"),
)
"""One row a range of offsets, from ``first`` to the one before ``next``, that Kafka did not have when it was read."""

ERASURES = TableSpec(
    "erasures",
    pa.schema(
        [
            ("erasure_id", pa.string()),
            ("time", _TIME),
            ("user_key", pa.string()),
            ("reason", pa.string()),
            ("erased_by", pa.string()),
            ("days", pa.list_(pa.date32())),
            (
                "records",
                pa.list_(
                    pa.struct(
                        [
                            ("topic_id", pa.string()),
                            ("partition", pa.int32()),
                            ("events", pa.int64()),
                            ("copies", pa.int64()),
                            ("rejected", pa.int64()),
                        ]
                    )
                ),
            ),
        ]
    ),
    statistics=("time",),
)
"""One row an erasure, without the name: how many records of each partition it took, and so the account closes."""

SCORES = TableSpec(
    "scores",
    pa.schema(
        [
            ("day", pa.date32()),
            ("user_key", pa.string()),
            ("score", pa.int32()),
            ("reasons", pa.list_(pa.struct([("rule", pa.string()), ("points", pa.int32()), ("text", pa.string())]))),
        ]
    ),
    partition_by=("day",),
    statistics=("score",),
)
"""One row a user and day, of those with a score above 0."""


def transaction_id(topic_id: str, partition: int) -> str:
    """Name a partition in a table's transactions, whose version is the next offset to write."""
    return f"{topic_id}:{partition}"


class Lake:
    """The tables below one address.

    Args:
        settings: the address, and how it is reached.
    """

    def __init__(self, settings: LakeSettings) -> None:
        self.settings = settings
        self.storage_options = settings.storage_options()

    def url(self, spec: TableSpec) -> str:
        """The address of a table."""
        base = self.settings.url if self.settings.is_bucket else str(Path(self.settings.url).absolute())
        return f"{base.rstrip('/')}/{spec.name}"

    def exists(self, spec: TableSpec) -> bool:
        """Whether the table has been made."""
        return DeltaTable.is_deltatable(self.url(spec), self.storage_options)

    def open(self, spec: TableSpec) -> DeltaTable:
        """Open a table at its newest version; made first if it is missing.

        Raises:
            deltalake.exceptions.DeltaError: the address cannot be reached, or has something else.
            OSError: likewise.
        """
        if not self.exists(spec):
            self._create(spec)
        return DeltaTable(self.url(spec), storage_options=self.storage_options)

    def _create(self, spec: TableSpec) -> None:
        DeltaTable.create(
            self.url(spec),
            pa.schema(spec.schema),
            # Another process may make it at the same moment.
            mode="ignore",
            partition_by=list(spec.partition_by),
            configuration={
                "delta.dataSkippingStatsColumns": ",".join(spec.statistics) or None,
                "delta.checkpointInterval": "100",
                "delta.logRetentionDuration": "interval 7 days",
                "delta.deletedFileRetentionDuration": "interval 7 days",
            },
            storage_options=self.storage_options,
        )
