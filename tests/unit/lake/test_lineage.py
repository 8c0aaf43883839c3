"""OpenLineage events of runs, held to the schema of the specification.

``tests/data/openlineage-2-0-2.json`` is that of https://github.com/OpenLineage/OpenLineage (Apache License 2.0).
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import jsonschema_rs
import orjson
import pytest

from lake import lineage
from lake.command_line import main
from lake.settings import LakeSettings
from lake.tables import ERASURES, EVENTS
from tests.support.command_line import run_here
from tests.support.http_server import QuietHandler, serving
from tests.support.lake import settings_in
from tests.support.paths import ROOT

SCHEMA = orjson.loads((ROOT / "tests/data/openlineage-2-0-2.json").read_bytes())


def told(file: Path) -> list[dict[str, Any]]:
    """The events in a file, each as the schema wants it."""
    validator = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)
    events = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    for event in events:
        validator.validate(event)
        assert event["schemaURL"].startswith(SCHEMA["$id"])
    return events


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "lineage.jsonl"


@pytest.fixture(name="settings")
def _settings(tmp_path: Path, file: Path) -> LakeSettings:
    return settings_in(tmp_path, lineage_url=f"file://{file}")


def test_a_run_starts_and_is_complete(settings: LakeSettings, file: Path) -> None:
    with lineage.run(settings, "compact", [EVENTS], [EVENTS]):
        pass

    start, end = told(file)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"] == end["run"]
    assert start["job"] == {"namespace": "sluice", "name": "lake.compact"}
    assert start["inputs"] == start["outputs"] == [{"namespace": "file", "name": f"{settings.url}/events"}]


@pytest.mark.parametrize(("error", "kind"), [(ValueError, "FAIL"), (KeyboardInterrupt, "ABORT")])
def test_a_run_that_ends_otherwise_says_so(
    settings: LakeSettings, file: Path, error: type[BaseException], kind: str
) -> None:
    with suppress(error), lineage.run(settings, "erase", [EVENTS], [EVENTS, ERASURES]):
        raise error("jane.doe")

    assert [event["eventType"] for event in told(file)] == ["START", kind]
    assert b"jane.doe" not in file.read_bytes()


def test_tables_in_a_bucket_are_named_by_bucket_and_key(tmp_path: Path, file: Path) -> None:
    settings = settings_in(tmp_path, url="s3://archive/sluice", lineage_url=f"file://{file}")
    with lineage.run(settings, "vacuum", [EVENTS], [EVENTS]):
        pass
    assert told(file)[0]["outputs"] == [{"namespace": "s3://archive", "name": "sluice/events"}]


class Catalogue(QuietHandler):
    """A catalogue that takes events."""

    received: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        """Take one, or refuse it at another path."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, body))
        self.send_response(201 if self.path == "/api/v1/lineage" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(name="catalogue")
def _catalogue() -> Iterator[str]:
    Catalogue.received.clear()
    with serving(Catalogue) as url:
        yield url


def test_events_go_to_a_catalogue(tmp_path: Path, catalogue: str, file: Path) -> None:
    with lineage.run(settings_in(tmp_path, lineage_url=f"{catalogue}/api/v1/lineage"), "marts", [EVENTS], []):
        pass

    assert [path for path, _ in Catalogue.received] == ["/api/v1/lineage"] * 2
    file.write_bytes(b"\n".join(body for _, body in Catalogue.received))
    assert [event["eventType"] for event in told(file)] == ["START", "COMPLETE"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "{catalogue}/elsewhere", "file:///dev/null/lineage"])
def test_a_catalogue_that_does_not_take_them_stops_no_run(
    tmp_path: Path, catalogue: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    done = []
    with lineage.run(settings_in(tmp_path, lineage_url=url.format(catalogue=catalogue)), "marts", [EVENTS], []):
        done.append(True)
    assert done
    assert [record.message.split(" of ")[0] for record in caplog.records if record.name == "lake.lineage"] == [
        "START",
        "COMPLETE",
    ]


def test_each_command_tells_of_its_run(tmp_path: Path, file: Path) -> None:
    variables = {"LAKE_URL": str(tmp_path / "lake"), "LAKE_LINEAGE_URL": f"file://{file}"}
    for command in ("compact", "vacuum", "marts"):
        assert run_here(main, command, variables=variables).returncode == 0
    assert [(event["job"]["name"], event["eventType"]) for event in told(file)] == [
        (f"lake.{command}", kind) for command in ("compact", "vacuum", "marts") for kind in ("START", "COMPLETE")
    ]
