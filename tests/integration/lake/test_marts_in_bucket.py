"""Marts, report and sandbox over tables in a bucket."""

from pathlib import Path

import pytest

from lake.command_line import main
from lake.sandbox import Sandbox
from lake.serve.settings import ServeSettings
from lake.tables import Lake
from tests.support.lake import USER_KEY, write_events
from tests.support.marts import TODAY, YESTERDAY, asked
from tests.support.s3_server import s3_server, variables


def test_marts_report_and_sandbox_read_a_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with s3_server(tmp_path / "s3.log") as url:
        for name, value in (variables(url) | {"LAKE_USER_KEY": USER_KEY}).items():
            monkeypatch.setenv(name, value)
        lake = Lake(ServeSettings.load())
        write_events(lake, [asked(9, query="Hostname = a AND Os = b", took_ms=4)])
        assert main(["marts"]) == 0
        write_events(lake, [asked(10, day=TODAY)])
        assert main(["report", "--by", "day", "--csv"]) == 0
        printed = capsys.readouterr().out.splitlines()
        assert printed[-2:] == [f"{YESTERDAY},1,10,4", f"{TODAY},1,10,1"]
        sandbox = Sandbox(lake, memory_mib=256, threads=1)
        assert sandbox.run("SELECT field, searches FROM mart_fields ORDER BY field", 10)[1] == [
            ("Hostname", 1),
            ("Os", 1),
        ]
        assert sandbox.run("SELECT count(*) FROM events", 10)[1] == [(2,)]
