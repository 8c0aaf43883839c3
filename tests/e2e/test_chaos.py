"""A short run of `make chaos`, so that every change meets all faults at once."""

import os
from pathlib import Path

import pytest

from tests.chaos.run import run

_SECONDS = 20


@pytest.mark.chaos
def test_the_accounts_close_whatever_happens_to_processes_and_servers(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")

    assert not run(tmp_path, _SECONDS, seed)
