"""The command line says in one line what is wrong."""

import pytest

from elastic.command_line import main
from local import ports


def test_an_elasticsearch_that_is_down_is_one_line_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", f"http://127.0.0.1:{ports.free(1)[0]}")
    assert main(["bootstrap"]) == 1
    assert capsys.readouterr().err.startswith("Elasticsearch: ")


def test_a_bad_setting_is_named_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "nonsense")
    assert main(["bootstrap"]) == 2
    assert capsys.readouterr().err.startswith("ELASTICSEARCH_URL: ")


@pytest.mark.parametrize("days", ["0", "-1", "many", "99999999999"])
def test_a_number_of_days_out_of_bounds_is_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["prune", "--keep-days", days])
    assert ended.value.code == 2
    assert "--keep-days" in capsys.readouterr().err


@pytest.mark.parametrize("shards", ["0", "-1", "1025", "many"])
def test_a_number_of_shards_out_of_bounds_is_refused(shards: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bootstrap", "--shards", shards])
    assert ended.value.code == 2
    assert "--shards" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prune", "--keep-days", "ten"], "argument --keep-days: must be a whole number from 1 to 36,500"),
        (["bootstrap", "--keep-days", "0"], "argument --keep-days: must be a whole number from 1 to 36,500"),
        (["bootstrap", "--shards", "1.5"], "argument --shards: must be a whole number from 1 to 1,024"),
        (["erase", "--user", ""], "argument --user: must be a user's name, in UTF-8"),
        (["erase", "--user", "\udcff"], "argument --user: must be a user's name, in UTF-8"),
        (["erase", "--address", "localhost"], "argument --address: must be an IPv4 or IPv6 address"),
        (["erase", "--user", "ada", "--delete", ""], "argument --delete: must have 1 to 1,000 bytes of UTF-8"),
        (["erase", "--user", "ada", "--delete", "\udcff"], "argument --delete: must have 1 to 1,000 bytes of UTF-8"),
    ],
)
def test_an_argument_that_is_refused_is_said_in_words(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err
