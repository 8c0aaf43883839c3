"""The lake in a bucket: the same promise, also while the bucket's server is ill."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import urllib3

from lake.settings import LakeSettings
from lake.tables import Lake
from tests.support.faulty_proxy import serving
from tests.support.lake_trail import LakeTrail, StartLake
from tests.support.query_event import event
from tests.support.s3_server import BUCKET, FaultyBucket, make_bucket, s3_server, variables
from tests.support.waiting import eventually


class BucketTrail(LakeTrail):
    """A trail whose lake is in a bucket."""

    @property
    def lake(self) -> Lake:
        """The tables."""
        named = {name.removeprefix("LAKE_").lower(): value for name, value in self.others.items()}
        return Lake(LakeSettings.model_validate(named))


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[FaultyBucket]:
    """A bucket's server, which can be ill."""
    with s3_server(tmp_path / "s3.log") as url, serving(FaultyBucket(url)) as faulty:
        yield faulty


@pytest.fixture
def trail(trail: LakeTrail, bucket: FaultyBucket) -> BucketTrail:
    """A trail whose lake is in the bucket; the test itself goes past what is ill."""
    others = variables(bucket.target)
    return BucketTrail(
        trail.bootstrap, trail.elasticsearch_url, trail.name, trail.client, trail.producer, folder=trail.folder,
        others=others,
    )  # fmt: skip


def test_a_bucket_that_is_overloaded_or_away_loses_nothing(
    trail: BucketTrail, start: StartLake, bucket: FaultyBucket
) -> None:
    writer = start(LAKE_S3_ENDPOINT=bucket.url).wait_until_ready()
    trail.produce(event(number) for number in range(100))
    trail.wait_until_written()
    bucket.is_overloaded = True
    trail.produce(event(number) for number in range(100))
    eventually(lambda: writer.metric("lake_commit_failures_total") >= 1, "a try that fails")
    status, body = writer.get("/readyz")
    assert (status, "503" in orjson.loads(body)["dependencies"]["lake"]) == (503, True)
    bucket.is_overloaded = False

    trail.wait_until_written()
    assert writer.stop() == 0
    assert writer.log().count("the batch is kept") == 1
    trail.assert_account_closes()


def test_two_writers_to_a_bucket_write_each_record_once(trail: BucketTrail, start: StartLake) -> None:
    writers = [start(LAKE_GROUP_ID=f"{trail.name}-{number}").wait_until_ready() for number in range(2)]
    for _ in range(3):
        trail.produce(event(number) for number in range(100))
        trail.wait_until_written()

    assert [writer.stop() for writer in writers] == [0, 0]
    trail.assert_account_closes()


def test_a_bucket_that_is_missing_is_waited_for(trail: BucketTrail, start: StartLake, bucket: FaultyBucket) -> None:
    urllib3.request("DELETE", f"{bucket.target}/{BUCKET}")
    trail.produce(event(number) for number in range(10))
    writer = start()
    eventually(lambda: "positions cannot be had yet" in writer.log(), "a line about the bucket")
    make_bucket(bucket.target)

    trail.wait_until_written()
    assert writer.stop() == 0
    trail.assert_account_closes()
