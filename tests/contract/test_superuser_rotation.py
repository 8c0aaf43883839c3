"""The documented change of Elasticsearch's and PostgreSQL's superuser's password, without a container engine.

Wherever it breaks off, the vault still has the password that the server knows.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

_PAGE = (ROOT / "docs" / "operations" / "every-day.md").read_text(encoding="utf-8")
_COMMANDS = next(
    each for each in re.findall(r"^```bash\n(.*?)^```", _PAGE, re.MULTILINE | re.DOTALL) if "change elastic" in each
)

# In place of `docker compose run --rm -T --entrypoint PROGRAM secrets …`: the program here, on a folder; the call whose
# number is FAILING breaks off. In place of `es` and of psql in its container: a server, which takes no empty password.
_STAND_INS = r"""
docker() {
  echo x >> calls
  echo "$*" >> arguments
  test "$(wc -l < calls)" != "$FAILING" || return 125
  if [ "$2" = exec ]; then server "ALTER ROLE sluice PASSWORD '\(..*\)';"; return; fi
  if [ "$4" != -T ]; then touch handed-out; return; fi
  program=$6
  shift 7
  "$program" "${@//\/secrets\/vault/vault}"
}
es() {
  echo "$*" >> arguments
  server '{"password": "\(..*\)"}'
}
server() {
  sed -n "s/^$1\$/\1/p" > told
  test -s told || return 22
  cp told known
}
"""


def _change(vault: Path, server: str, failing: int = 0) -> int:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", _STAND_INS + _COMMANDS.replace("\nchange elastic\n", f"\nchange {server}\n")],
        cwd=vault.parent,
        env={"PATH": path, "FAILING": str(failing)},
        timeout=30,
        check=False,
    ).returncode


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A vault with the present passwords; the server knows its own."""
    folder = tmp_path / "vault"
    folder.mkdir()
    for file in (folder / "elastic", folder / "postgres", tmp_path / "known"):
        file.write_text("old", encoding="utf-8")
    return folder


def _known(vault: Path) -> str:
    return (vault.parent / "known").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("server", ["elastic", "postgres"])
def test_the_server_and_the_vault_get_the_same_new_password(vault: Path, server: str) -> None:
    assert _change(vault, server) == 0
    assert len(_known(vault)) == 32
    assert (vault / server).read_text(encoding="utf-8").strip() == _known(vault)
    assert not (vault / f"{server}.new").exists()
    assert (vault.parent / "handed-out").exists()


@pytest.mark.parametrize("server", ["elastic", "postgres"])
def test_the_password_is_no_argument_of_anything(vault: Path, server: str) -> None:
    assert _change(vault, server) == 0
    assert _known(vault) not in (vault.parent / "arguments").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("server", "failing"),
    [*(("elastic", call) for call in range(1, 5)), *(("postgres", call) for call in range(1, 6))],
)
def test_wherever_it_breaks_off_the_vault_has_what_the_server_knows(vault: Path, server: str, failing: int) -> None:
    assert _change(vault, server, failing) != 0
    assert (vault.parent / "calls").read_text(encoding="utf-8").count("x") == failing
    kept = {path.read_text(encoding="utf-8").strip() for path in vault.glob(f"{server}*")}
    assert _known(vault) in kept
    assert not (vault.parent / "handed-out").exists()


@pytest.mark.parametrize("server", ["elastic", "postgres"])
def test_a_password_that_is_left_over_is_not_overwritten(vault: Path, server: str) -> None:
    (vault / f"{server}.new").write_text("perhaps known", encoding="utf-8")
    assert _change(vault, server) != 0
    assert (vault / f"{server}.new").read_text(encoding="utf-8") == "perhaps known"
    assert _known(vault) == "old"
