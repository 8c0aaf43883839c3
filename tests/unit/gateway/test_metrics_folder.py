"""The folder by which worker processes share their metrics."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.metrics_folder import metrics_folder


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def _folders(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.iterdir() if "gateway-metrics-" in path.name]


def test_it_lasts_as_long_as_the_block_however_that_ends(tmp_path: Path) -> None:
    with pytest.raises(SystemExit), metrics_folder() as folder:
        (folder / "counter_1.db").touch()
        assert _folders(tmp_path) == [folder]
        raise SystemExit
    assert not _folders(tmp_path)


def test_several_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    with metrics_folder() as first, metrics_folder() as second:
        assert {first, second} == set(_folders(tmp_path))


def test_what_killed_processes_left_is_removed_and_nothing_else_is(tmp_path: Path) -> None:
    program = "import os\nfrom gateway.metrics_folder import metrics_folder\nwith metrics_folder(): os._exit(9)"
    subprocess.run([sys.executable, "-c", program], env={"TMPDIR": str(tmp_path)}, check=False)
    (left,) = _folders(tmp_path)
    (left / "counter_1.db").touch()
    others = tmp_path / "others"
    others.mkdir()
    (tmp_path / "gateway-metrics-link").symlink_to(others)
    with metrics_folder():
        assert not left.exists()
        assert others.exists()
