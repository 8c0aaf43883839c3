"""A topic of a test's own and the lake that it is written to."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from indexing.topics import PARTITIONS
from lake.tables import EVENTS, GAPS, REJECTED, Lake, transaction_id
from local import ports
from tests.support import topic
from tests.support.consumer_process import ServingProcess
from tests.support.lake import USER_KEY, lake_in, rows
from tests.support.trail import Trail
from tests.support.waiting import eventually


@dataclass
class LakeTrail(Trail):
    """Topics that no other test has, and a lake in a folder of the test's own.

    Attributes:
        folder: the test's.
        others: variables for each writer.
    """

    folder: Path = Path()
    others: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that an operator would set; a commit is made within half a second."""
        return (
            super().environment
            | {
                "LAKE_URL": self.lake.settings.url,
                "LAKE_USER_KEY": USER_KEY,
                "LAKE_GROUP_ID": self.name,
                "LAKE_COMMIT_SECONDS": "0.5",
            }
            | self.others
        )

    @property
    def lake(self) -> Lake:
        """The tables."""
        return lake_in(self.folder)

    def event_ids(self) -> list[str]:
        """The ids of all rows of events; one that is there twice comes twice."""
        return [str(each) for each in rows(self.lake)["event_id"].to_pylist()]

    def is_written(self) -> bool:
        """Whether every event of the account is in the lake."""
        return self.lake.exists(EVENTS) and self.ids <= set(self.event_ids())

    def written_offsets(self) -> int:
        """How many offsets of the topic the lake accounts for."""
        if not self.lake.exists(EVENTS):
            return 0
        table, topic_id = self.lake.open(EVENTS), self.topic_id()
        return sum(table.transaction_version(transaction_id(topic_id, number)) or 0 for number in range(PARTITIONS))

    def wait_until_written(self) -> None:
        """Wait until every event of the account is in the lake."""
        eventually(self.is_written, "every event is in the lake")

    def assert_account_closes(self) -> None:
        """Each event is one row, and each offset of the topic is in exactly one place."""
        written = self.event_ids()
        assert len(written) == len(set(written)), "an event is in the lake twice"
        assert set(written) == self.ids
        self.assert_offsets_are_dense()

    def assert_offsets_are_dense(self) -> None:
        """Each offset up to a partition's position is in exactly one place, and the position is the partition's end."""
        table, topic_id = self.lake.open(EVENTS), self.topic_id()
        places = [
            (row["topic_id"], row["partition"], row["offset"])
            for spec in (EVENTS, REJECTED)
            for row in rows(self.lake, spec).select(["topic_id", "partition", "offset"]).to_pylist()
        ] + [
            (row["topic_id"], row["partition"], offset)
            for row in rows(self.lake, GAPS).to_pylist()
            for offset in range(row["first"], row["next"])
        ]
        ends = {
            number: table.transaction_version(transaction_id(topic_id, number)) or 0 for number in range(PARTITIONS)
        }
        found = sorted(place[1:] for place in places if place[0] == topic_id)
        assert found == [(number, offset) for number, end in ends.items() for offset in range(end)]
        with closing(topic.reader(self.bootstrap)) as reader:
            for number, end in ends.items():
                assert topic.watermarks(reader, TopicPartition(self.topic, number))[1] == end

    def topic_id(self) -> str:
        """The topic's id."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        described = admin.describe_topics(TopicCollection([self.topic]))[self.topic]
        return str(described.result(10).topic_id)


class LakeProcess(ServingProcess):
    """The lake's writer, with these variables beside its trail's."""

    def __init__(self, trail: LakeTrail, log: Path, **variables: str) -> None:
        [port] = ports.free(1)
        super().__init__("lake", port, trail.environment | {"LAKE_METRICS_PORT": str(port)} | variables, log)

    def wait_until_read(self, count: int) -> None:
        """Wait until it has read so many records, committed or not."""
        eventually(lambda: self.metric("lake_records_read_total") >= count, f"{count} records are read")


StartLake = Callable[..., LakeProcess]
"""Starts a writer with these variables beside its trail's."""
