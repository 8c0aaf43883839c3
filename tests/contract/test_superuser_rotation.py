"""docs/operations.md's change of the superuser's password, without a container engine: wherever it breaks off, the
vault still has the password that Elasticsearch knows."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.compose import ROOT

_PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
_COMMANDS = next(
    each for each in re.findall(r"^```bash\n(.*?)^```", _PAGE, re.MULTILINE | re.DOTALL) if "elastic.new" in each
)

# In place of `docker compose run --rm -T --entrypoint PROGRAM secrets …`: the program here, on a folder; the call whose
# number is FAILING breaks off. In place of `es`: Elasticsearch, which takes no empty password.
_STAND_INS = r"""
docker() {
  echo x >> calls
  echo "$*" >> arguments
  test "$(wc -l < calls)" != "$FAILING" || return 125
  if [ "$4" != -T ]; then touch handed-out; return; fi
  program=$6
  shift 7
  "$program" "${@//\/secrets\/vault/vault}"
}
es() {
  echo "$*" >> arguments
  cat > body
  grep -q '"password": "..*"' body || return 22
  cp body known
}
"""


def _change(vault: Path, failing: int = 0) -> int:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", _STAND_INS + _COMMANDS],
        cwd=vault.parent,
        env={"PATH": path, "FAILING": str(failing)},
        timeout=30,
        check=False,
    ).returncode


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A vault with the present password; Elasticsearch knows it."""
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "elastic").write_text("old", encoding="utf-8")
    (tmp_path / "known").write_text('{"password": "old"}', encoding="utf-8")
    return folder


def _known(vault: Path) -> str:
    password: str = json.loads((vault.parent / "known").read_text(encoding="utf-8"))["password"]
    return password


def test_elasticsearch_and_the_vault_get_the_same_new_password(vault: Path) -> None:
    assert _change(vault) == 0
    assert len(_known(vault)) == 32
    assert (vault / "elastic").read_text(encoding="utf-8").strip() == _known(vault)
    assert not (vault / "elastic.new").exists()
    assert (vault.parent / "handed-out").exists()


def test_the_password_is_no_argument_of_anything(vault: Path) -> None:
    assert _change(vault) == 0
    assert _known(vault) not in (vault.parent / "arguments").read_text(encoding="utf-8")


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_wherever_it_breaks_off_the_vault_has_what_elasticsearch_knows(vault: Path, failing: int) -> None:
    assert _change(vault, failing) != 0
    assert (vault.parent / "calls").read_text(encoding="utf-8").count("x") == failing
    kept = {path.read_text(encoding="utf-8").strip() for path in vault.iterdir()}
    assert _known(vault) in kept
    assert not (vault.parent / "handed-out").exists()


def test_a_password_that_is_left_over_is_not_overwritten(vault: Path) -> None:
    (vault / "elastic.new").write_text("perhaps known", encoding="utf-8")
    assert _change(vault) != 0
    assert (vault / "elastic.new").read_text(encoding="utf-8") == "perhaps known"
    assert _known(vault) == "old"
