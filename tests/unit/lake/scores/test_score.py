"""Scores of a day: their sum, their table, and the command that prints them."""

from pathlib import Path

import pytest

from lake.commands.score import main
from lake.scores.score import score_day
from lake.tables import SCORES
from tests.support.lake import USER_KEY, lake_in
from tests.support.lake_month import DAY, Month, key


def _write_two_people(folder: Path) -> None:
    month = Month()
    for user in ("ada", "grace"):
        month.usual(user)
    month.search("grace", index="people")
    for word in ("password", "secret", "credential"):
        month.search("ada", query=f"Notes ~ {word}", shape="Notes ~ ?", country="NZ")
    month.search("ada", index="query-logs-*", query="user.name = ada", shape="user.name = ?")
    month.write(lake_in(folder))


def test_a_score_is_the_sum_of_its_reasons_and_at_most_100(tmp_path: Path) -> None:
    _write_two_people(tmp_path)

    scores = {score.user_key: score for score in score_day(lake_in(tmp_path), DAY)}

    assert [(reason.rule, reason.points) for reason in scores[key("grace")].reasons] == [("new index", 15)]
    assert scores[key("grace")].score == 15
    assert sum(reason.points for reason in scores[key("ada")].reasons) > 100
    assert scores[key("ada")].score == 100


def test_a_day_that_is_scored_again_replaces_its_rows_alone(tmp_path: Path) -> None:
    _write_two_people(tmp_path)
    lake = lake_in(tmp_path)
    for day in (DAY, DAY.replace(day=25), DAY):
        score_day(lake, day)

    days = lake.open(SCORES).to_pyarrow_table()["day"].to_pylist()

    assert days.count(DAY) == 2


def test_no_reason_has_a_name_or_the_words_of_a_query(tmp_path: Path) -> None:
    _write_two_people(tmp_path)
    score_day(lake_in(tmp_path), DAY)

    text = str(lake_in(tmp_path).open(SCORES).to_pyarrow_table().drop_columns("user_key").to_pylist())

    assert "ada" not in text and "grace" not in text and "Notes" not in text and "credential" not in text


def test_the_command_prints_who_is_above_the_threshold_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_two_people(tmp_path)
    monkeypatch.setenv("LAKE_URL", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKE_USER_KEY", USER_KEY)

    assert main(["--day", str(DAY)]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith(f"100  {key('ada')}\n     first country (30): first events from NZ\n")
    assert key("grace") not in printed
    assert printed.endswith(f"{DAY}: 2 users with a score, 1 of 40 or more\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--day", "2026-02-30"], "'2026-02-30' is no day such as 2026-11-28"),
        (["--threshold", "0"], "'0' is no number from 1 to 100"),
        (["--threshold", "many"], "'many' is no number from 1 to 100"),
    ],
)
def test_an_argument_that_is_none_is_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_day_without_events_has_no_scores(tmp_path: Path) -> None:
    assert not score_day(lake_in(tmp_path), DAY)
