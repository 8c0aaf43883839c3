"""The folder by which worker processes share their metrics."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.serving.metrics_files import allocate, metrics_folder


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


def test_files_of_killed_processes_are_removed_and_no_others(tmp_path: Path) -> None:
    program = "import os\nfrom gateway.serving.metrics_files import metrics_folder\nwith metrics_folder(): os._exit(9)"
    subprocess.run([sys.executable, "-c", program], env={"TMPDIR": str(tmp_path)}, check=False)
    (left,) = _folders(tmp_path)
    (left / "counter_1.db").touch()
    others = tmp_path / "others"
    others.mkdir()
    (tmp_path / "gateway-metrics-link").symlink_to(others)
    with metrics_folder():
        assert not left.exists()
        assert others.exists()


_RECORD = """
import os, sys
from pathlib import Path
from gateway.serving.metrics_files import allocate, give_back
folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
allocate(folder, os.getpid())
sizes = {path: path.stat().st_size for path in folder.iterdir()}
from gateway.http import metrics
for status in range(200, 215):
    for route in range(50):
        metrics.REQUEST_SECONDS.labels(f"/admin/identity/refreshfamily/<path:object_id>/{route}/", status).observe(1)
for code in range(30):
    metrics.PROBLEMS.labels(f"translator_unavailable_{code}").inc()
assert {path: path.stat().st_size for path in folder.iterdir()} == sizes
allocate(folder, 1)
if "give back" in sys.argv:
    give_back(folder, 1)
    give_back(folder, os.getpid())
    assert sum(path.stat().st_size for path in folder.iterdir()) < sum(sizes.values())
from gateway.http.request_metrics import exposition
assert b'status="214"' in exposition()
assert b'code="translator_unavailable_29"' in exposition()
"""


@pytest.mark.parametrize("end", ["", "give back"])
def test_a_process_s_files_are_all_there_before_it_counts_and_large_enough_for_all_that_it_counts(
    end: str, tmp_path: Path
) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", _RECORD, end], env=environment, check=True, timeout=30)


def test_their_blocks_are_allocated_so_that_a_full_disk_is_found_out_before_they_are_written_to(tmp_path: Path) -> None:
    allocate(tmp_path, 1)
    for path in tmp_path.iterdir():
        assert path.stat().st_blocks * 512 >= path.stat().st_size > 0
    assert len(list(tmp_path.iterdir())) == 5


def test_where_there_is_no_room_for_them_is_said(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            allocate(tmp_path, 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
