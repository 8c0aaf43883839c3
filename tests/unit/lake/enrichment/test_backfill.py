"""Enrichment of rows that were written without it."""

from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import orjson
import pytest

from lake.account import account
from lake.command_line import main
from lake.rewriting import Rewriting
from lake.tables import EVENTS, Lake
from tests.support.command_line import run_here
from tests.support.http_server import ElasticsearchHandler, serving
from tests.support.lake import USER_KEY, lake_in, rows, write_events
from tests.support.mmdb import write_mmdb
from tests.support.query_event import event

HOUR = datetime(2026, 11, 27, 9, tzinfo=UTC)
ENRICHED = ["country", "organisation", "asset_id", "asset_owner"]


class Inventory(ElasticsearchHandler):
    """An inventory with one device."""

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        """Answer with it."""
        assert (
            "192.0.2.1"
            in orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"]["bool"]["should"][0][
                "terms"
            ]["Ip"]
        )
        self.answer({"hits": {"hits": [{"_id": "d1", "_source": {"Ip": "192.0.2.1", "Owner": "platform"}}]}})


@pytest.fixture(name="lake")
def _lake(tmp_path: Path) -> Lake:
    lake = lake_in(tmp_path)
    write_events(lake, [event(number, HOUR) for number in range(3)], kafka_time=HOUR)
    return lake


@pytest.fixture(name="mmdb")
def _mmdb(tmp_path: Path) -> Path:
    return write_mmdb(tmp_path / "networks.mmdb", {"192.0.2.0/24": {"country": {"iso_code": "TR"}}})


def run(lake: Lake, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run the command: its status, and what it writes on both streams."""
    done = run_here(
        main,
        "enrich",
        *(arguments or ("--from", "2026-11-27", "--to", "2026-11-27")),
        variables={"LAKE_URL": lake.settings.url, "LAKE_USER_KEY": USER_KEY} | variables,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def enriched(lake: Lake) -> list[tuple[object, ...]]:
    """The enriched columns of all rows."""
    return [tuple(row.values()) for row in rows(lake).select(ENRICHED).to_pylist()]


def serve(handler: type[BaseHTTPRequestHandler], lake: Lake, mmdb: Path) -> tuple[int, str, str]:
    """Run the command with an inventory."""
    with serving(handler) as url:
        return run(lake, LAKE_MMDB=str(mmdb), LAKE_ASSET_INDEX="devices", ELASTICSEARCH_URL=url)


def test_what_rows_lack_is_filled_once(lake: Lake, mmdb: Path) -> None:
    before = rows(lake).drop_columns(ENRICHED)

    assert serve(Inventory, lake, mmdb)[:2] == (0, "2026-11-27T09  3 rows\nenriched 3 rows\n")

    assert enriched(lake) == [("TR", None, "d1", "platform")] * 3
    assert rows(lake).drop_columns(ENRICHED).equals(before)
    assert all(each.closes for each in account(lake, is_thorough=True))
    version = lake.open(EVENTS).version()
    assert serve(Inventory, lake, mmdb)[:2] == (0, "enriched 0 rows\n")
    assert lake.open(EVENTS).version() == version


def test_what_a_row_has_stays(lake: Lake, mmdb: Path) -> None:
    with Rewriting(lake, EVENTS) as rewriting:
        for partition, files in rewriting.files.items():
            with rewriting.rows(files) as old:
                then = "SELECT * REPLACE ('NL' AS country, 'old' AS asset_id) FROM rows"
                rewriting.replace(partition, files, old, then)
        rewriting.commit()

    assert serve(Inventory, lake, mmdb)[1] == "enriched 0 rows\n"
    assert enriched(lake) == [("NL", None, "old", None)] * 3


def test_other_days_stay_as_they_are(lake: Lake, mmdb: Path) -> None:
    assert run(lake, "--from", "2026-11-26", "--to", "2026-11-26", LAKE_MMDB=str(mmdb))[1] == "enriched 0 rows\n"


def test_a_source_that_cannot_be_asked_is_said_and_the_others_fill(lake: Lake, mmdb: Path) -> None:
    status, said, problems = run(
        lake, LAKE_MMDB=str(mmdb), LAKE_ASSET_INDEX="devices", ELASTICSEARCH_URL="http://127.0.0.1:9"
    )
    assert (status, said) == (1, "2026-11-27T09  3 rows\nenriched 3 rows\n")
    assert problems.endswith("lake: not all could be asked: assets; see the lines above, and run this again\n")
    assert enriched(lake) == [("TR", None, None, None)] * 3
