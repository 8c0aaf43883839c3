"""`marts`: which days are made again."""

from pathlib import Path

import pytest

from lake.command_line import main
from lake.engine import connect
from lake.marts.tables import SEARCHES
from lake.tables import Lake
from tests.support.lake import lake_in, write_events
from tests.support.marts import TODAY, YESTERDAY, asked


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with a search of yesterday and one of today, which the command finds."""
    made = lake_in(tmp_path)
    monkeypatch.setenv("LAKE_URL", made.settings.url)
    write_events(made, [asked(9), asked(9, day=TODAY)])
    return made


def searches(lake: Lake) -> dict[str, int]:
    """Searches by day, as the mart has them."""
    with connect(lake, [SEARCHES]) as connection:
        return dict(
            connection.sql("SELECT day::VARCHAR, sum(searches)::INTEGER FROM mart_searches GROUP BY day").fetchall()
        )


def test_days_that_changed_are_made_again_as_are_yesterday_and_today(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["marts"]) == 0
    assert capsys.readouterr().out == f"marts of 2 days, {YESTERDAY} to {TODAY}\n"
    write_events(lake, [asked(10)])
    assert main(["marts"]) == 0
    assert searches(lake) == {str(YESTERDAY): 2, str(TODAY): 1}


def test_one_day_is_made_alone_and_others_are_still_to_be_made(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["marts", "--day", str(YESTERDAY)]) == 0
    assert capsys.readouterr().out == f"marts of 1 day, {YESTERDAY} to {YESTERDAY}\n"
    assert searches(lake) == {str(YESTERDAY): 1}
    assert main(["report", "--by", "day", "--csv"]) == 0
    assert f"{TODAY},1,10,1" in capsys.readouterr().out


def test_a_database_of_another_kind_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKE_ANALYTICS_URL", "mysql://me:secret-word@host/marts")
    assert main(["marts"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("lake: LAKE_ANALYTICS_URL: must be sqlite:/// and a path, or postgres://")
    assert "secret-word" not in printed


def test_one_day_and_a_span_do_not_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["marts", "--day", "2026-01-01", "--to", "2026-01-02"])
    assert ended.value.code == 2
    assert "--day goes without --from and --to" in capsys.readouterr().err
