"""Before anything is started, what would fail later is found and said in one line."""

import multiprocessing
import socket
from pathlib import Path

import pytest

from local import ports, preflight
from local.errors import StackError


def _is_held(home: Path) -> bool:
    try:
        with preflight.exclusive(home):
            return False
    except StackError:
        return True


def test_a_folder_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as other:
        with preflight.exclusive(tmp_path):
            assert other.apply(_is_held, (tmp_path,))
        assert not other.apply(_is_held, (tmp_path,))


def test_a_second_run_is_told_where_the_first_one_runs(tmp_path: Path) -> None:
    with (
        preflight.exclusive(tmp_path),
        pytest.raises(StackError, match=f"already runs on {tmp_path}"),
        preflight.exclusive(tmp_path),
    ):
        pass


def test_a_port_in_use_is_named_with_the_variable_that_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is in use; .* LOCAL_KAFKA_PORT"):
            preflight.check_ports({"LOCAL_KAFKA_PORT": port})


def test_free_ports_pass() -> None:
    preflight.check_ports({"LOCAL_KAFKA_PORT": ports.free(1)[0]})


def test_a_disk_without_room_is_named_with_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=f"the disk of {tmp_path} is full: .* LOCAL_HOME"):
        preflight.check_room(tmp_path, needed=10**18)


def test_a_disk_with_room_passes(tmp_path: Path) -> None:
    preflight.check_room(tmp_path, needed=1)
