"""Lines of `status` about a backlog."""

from indexing.backlog import PartitionBacklog
from indexing.commands.status import lag_table, oldest_line


def test_the_columns_are_aligned_and_end_with_the_sum() -> None:
    table = list(lag_table([PartitionBacklog(0, 5, 0, 1_000_000), PartitionBacklog(1, None, 0, 7)]))
    assert table == [
        "partition  committed      end      lag",
        "        0          5  1000000   999995",
        "        1       none        7        7",
        "   in all                      1000002",
    ]


def test_the_oldest_event_is_the_one_that_kafka_has_had_longest() -> None:
    backlogs = [PartitionBacklog(0, 5, 0, 9, oldest_ms=8_000), PartitionBacklog(3, 12, 0, 13, oldest_ms=2_000)]
    assert oldest_line(backlogs, now=10.0, record="event") == "oldest unsettled event: 8.0 s, partition 3, offset 12"


def test_a_clock_behind_the_brokers_makes_no_negative_age() -> None:
    assert "0.0 s" in oldest_line([PartitionBacklog(0, 0, 0, 1, oldest_ms=20_000)], now=10.0, record="event")


def test_without_a_backlog_there_is_no_oldest_event() -> None:
    assert oldest_line([PartitionBacklog(0, 9, 0, 9)], now=10.0, record="event") == "oldest unsettled event: none"


def test_an_oldest_event_that_could_not_be_read_is_not_called_missing() -> None:
    assert oldest_line([PartitionBacklog(0, 0, 0, 9)], now=10.0, record="event").endswith(
        "Kafka did not give it in time"
    )
