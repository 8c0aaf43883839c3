"""`report`: who searched what, from the marts and, where they are behind, from the events."""

from pathlib import Path

import pytest

from lake.command_line import main
from lake.marts.build import Progress, rebuild
from lake.tables import Lake
from lake.user_key import UserKeys
from tests.support.lake import lake_in, settings_in, write_events
from tests.support.marts import TODAY, YESTERDAY, asked, mart_settings


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with four searches, which the commands find."""
    made = lake_in(tmp_path)
    monkeypatch.setenv("LAKE_URL", made.settings.url)
    # In two commits, one of which may change without the other.
    write_events(made, [asked(9, took_ms=5), asked(10, took_ms=7), asked(9, user="bob", query="Os = x")])
    write_events(made, [asked(1, day=TODAY)])
    return made


@pytest.fixture
def ann() -> str:
    """A user's key."""
    return UserKeys(settings_in(Path("/"))).of("ann")


@pytest.fixture
def bob() -> str:
    """Another's."""
    return UserKeys(settings_in(Path("/"))).of("bob")


@pytest.mark.usefixtures("lake")
def test_the_last_week_is_told_by_user_index_and_shape_most_searches_first(
    ann: str, bob: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "user_key                          index    shape         searches  hits  took_ms",
        f"{ann}  devices  Hostname = ?  3         30    13",
        f"{bob}  devices  Os = ?        1         10    1",
    ]


@pytest.mark.usefixtures("lake")
def test_csv_has_the_days_and_groups_that_were_asked_for(
    ann: str, bob: str, capsys: pytest.CaptureFixture[str]
) -> None:
    day = YESTERDAY.isoformat()
    assert main(["report", "--from", day, "--to", day, "--by", "day,user", "--csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "day,user_key,searches,hits,took_ms",
        f"{day},{ann},2,20,12",
        f"{day},{bob},1,10,1",
    ]


def test_days_that_changed_since_their_marts_were_made_are_as_their_events_are(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(lake)
    rebuild(mart_settings(lake), [YESTERDAY, TODAY])
    progress.save()
    write_events(lake, [asked(3, day=TODAY)])
    assert main(["report", "--by", "day", "--csv"]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split(",")[:2] for row in rows] == [[YESTERDAY.isoformat(), "3"], [TODAY.isoformat(), "2"]]


@pytest.mark.usefixtures("lake")
def test_rows_beyond_the_limit_are_said_to_be_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--by", "outcome,shape", "--limit", "1"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert printed.err == "lake: there are more than 1 rows: see --limit\n"


def test_a_lake_without_events_has_only_headings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKE_URL", str(tmp_path / "lake"))
    assert main(["report", "--by", "index"]) == 0
    assert capsys.readouterr().out == "index  searches  hits  took_ms\n"


@pytest.mark.usefixtures("lake")
def test_without_the_trail_no_name_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("contracts.query_event.command._SECONDS", 0.5)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    assert main(["report", "--names"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith(
        "lake: no names are shown, as the audit trail cannot be written: Kafka at 127.0.0.1:9: "
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "name"], "argument --by: 'name' is not one of user, team, index, shape, outcome, day, hour"),
        (["--limit", "0"], "argument --limit: '0' is no number from 1 to 100000"),
        (["--from", "yesterday"], "argument --from: 'yesterday' is no day such as 2026-11-28"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "--from 2026-01-02 is after --to 2026-01-01"),
        (["--from", "1970-01-01"], "more than 3700 days"),
        (["--to", "0001-01-01"], "argument --to: '0001-01-01' is no day such as 2026-11-28"),
        (["--names", "--by", "index"], "--names goes with --by user"),
    ],
)
def test_an_argument_that_is_refused_is_said_in_words(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
