"""Compaction, vacuum and erasure of a lake in a bucket."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lake.account import account
from lake.compaction import compact
from lake.erasure.erase import erase
from lake.erasure.name import Name
from lake.erasure.person import Person
from lake.erasure.proof import hits
from lake.registry import ALL
from lake.serve.settings import ServeSettings
from lake.tables import EVENTS, Lake
from lake.user_key import UserKeys
from lake.vacuum import vacuum, vacuum_now
from tests.support.lake import USER_KEY, rows, write_events
from tests.support.query_event import event
from tests.support.s3_server import s3_server, variables

HOUR = datetime(2026, 11, 27, 9, tzinfo=UTC)
NAME = "jane.doe"


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> Iterator[ServeSettings]:
    with s3_server(tmp_path / "s3.log") as url:
        named = {name.removeprefix("LAKE_").lower(): value for name, value in variables(url).items()}
        yield ServeSettings.model_validate(named | {"user_key": USER_KEY})


def test_a_lake_in_a_bucket_is_compacted_and_a_person_erased_with_proof(settings: ServeSettings) -> None:
    lake = Lake(settings)
    hers, twice = (event(number, HOUR) for number in range(2))
    hers.user_id = NAME
    write_events(lake, [hers, twice, twice, b"of jane.doe"], kafka_time=HOUR)
    write_events(lake, [event(2, HOUR, f"Owner = {NAME}")], kafka_time=HOUR)

    [hour] = compact(lake, timedelta(), HOUR + timedelta(hours=1))
    assert (hour.rows_before, hour.rows) == (4, 3)
    assert vacuum(lake, 24)["events"] == 0

    name = Name(NAME)
    assert list(hits(lake, name))
    found = erase(lake, Person(UserKeys(settings).of(NAME), name), "request 1", "operator", lambda change: None)
    for spec in ALL:
        if lake.exists(spec):
            vacuum_now(lake, spec, datetime.now(UTC) + timedelta(seconds=1))

    assert (found.taken.total(), found.mentions.total()) == (2, 1)
    assert rows(lake)["query"].to_pylist() == [twice.data.query, "Owner = [erased]"]
    assert not list(hits(lake, name))
    assert all(each.closes for each in account(lake, is_thorough=True))
    assert len(lake.open(EVENTS).file_uris()) == 1
