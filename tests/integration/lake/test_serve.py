"""The writer on a real topic: each record is in the lake once, whatever happens to the writer."""

import signal
from pathlib import Path

from tests.benchmarks.lake_kills import Plan, run
from tests.support.lake import rows
from tests.support.lake_trail import LakeTrail, StartLake
from tests.support.mmdb import write_mmdb
from tests.support.query_event import event
from tests.support.waiting import eventually


def test_every_record_of_the_topic_is_a_row(trail: LakeTrail, start: StartLake) -> None:
    trail.produce(event(number) for number in range(300))
    trail.produce_raw(b"no event", partition=2)
    trail.produce_raw(None, partition=2)
    writer = start()
    trail.wait_until_written()
    trail.produce(event(number) for number in range(300))
    trail.wait_until_written()
    assert writer.stop(signal.SIGTERM) == 0
    trail.assert_account_closes()


def test_sigterm_commits_what_was_read(trail: LakeTrail, start: StartLake) -> None:
    writer = start(LAKE_COMMIT_SECONDS="600").wait_until_ready()
    trail.produce(event(number) for number in range(100))
    writer.wait_until_read(100)
    assert not trail.is_written()
    assert writer.stop(signal.SIGTERM) == 0
    trail.assert_account_closes()


def test_kills_at_random_moments_lose_and_double_nothing(trail: LakeTrail, tmp_path: Path) -> None:
    figures = run(trail, tmp_path, Plan(events=20_000, kills=3, garbage=0.01))

    assert figures.lost == 0
    assert figures.rows + figures.rejected == figures.records


def test_events_have_the_asset_and_the_country_of_their_address(trail: LakeTrail, start: StartLake) -> None:
    index = f"devices-{trail.name}"
    device = {"Hostname": "host", "Ip": ["192.0.2.1"], "Owner": "finance"}
    trail.client.index(index=index, id="d1", document=device, refresh=True)
    mmdb = write_mmdb(trail.folder / "country.mmdb", {"192.0.2.0/24": {"country": {"iso_code": "TR"}}})
    trail.produce([event()])
    writer = start(LAKE_ASSET_INDEX=index, LAKE_MMDB=f"{trail.folder}/missing.mmdb,{mmdb}")
    trail.wait_until_written()
    assert writer.metric("lake_enrichment_failures_total") == 1
    assert writer.stop() == 0
    trail.client.indices.delete(index=index)

    [row] = rows(trail.lake).select(["asset_id", "asset_owner", "country", "network"]).to_pylist()
    assert row == {"asset_id": "d1", "asset_owner": "finance", "country": "TR", "network": "192.0.2.0/24"}


def test_without_elasticsearch_and_files_events_are_written_all_the_same(trail: LakeTrail, start: StartLake) -> None:
    (trail.folder / "cut.mmdb").write_bytes(b"no database")
    trail.produce(event(number) for number in range(100))
    writer = start(
        ELASTICSEARCH_URL="http://127.0.0.1:1", LAKE_ASSET_INDEX="devices", LAKE_MMDB=f"{trail.folder}/cut.mmdb"
    )
    trail.wait_until_written()
    assert writer.metric("lake_enrichment_failures_total") >= 2
    assert writer.get("/readyz")[0] == 200
    assert writer.stop() == 0
    trail.assert_account_closes()


def test_settings_that_nothing_can_start_with_are_named(start: StartLake) -> None:
    for name, value in {"LAKE_USER_KEY": "", "LAKE_COMMIT_BYTES": "1", "LAKE_ASSET_INDEX": "a,b"}.items():
        writer = start(**{name: value})
        assert writer.process.wait(30) == 2
        assert name in writer.log()
        assert len(writer.log().splitlines()) == 1


def test_it_waits_for_kafka_without_a_flood(start: StartLake) -> None:
    writer = start(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    eventually(lambda: writer.get("/readyz")[0] == 503, "it says that it is not ready")
    assert writer.get("/healthz")[0] == 200
    assert writer.stop() == 0
    assert len(writer.log().splitlines()) <= 8
