"""The secrets of a deployment: made once, each before its readers alone, and left alone afterwards."""

import os
import stat
from pathlib import Path

import pytest

from deploy.first_start import readers
from deploy.first_start.__main__ import main
from gateway.signing_keys import read_signing_keys

_ONLY_OWNER_READS = 0o400


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch) -> None:
    """All files are those of whoever runs the tests; only root could give them away."""
    monkeypatch.setattr(readers, "OWNERS", dict.fromkeys(readers.OWNERS, os.getuid()))


def _files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_every_secret_is_a_file_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else _ONLY_OWNER_READS), path
        assert path.is_dir() or path.stat().st_size, path


def test_a_second_run_changes_nothing_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path)])
    before = _files(tmp_path)
    capsys.readouterr()
    assert main([str(tmp_path)]) == 0
    assert _files(tmp_path) == before
    assert capsys.readouterr().out == "every secret is in its place\n"


def test_two_deployments_have_no_secret_in_common(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        main([str(tmp_path / name)])
    one, other = (set(_files(tmp_path / name / "vault").values()) for name in ("one", "other"))
    assert not one & other


def test_no_secret_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path)])
    printed = capsys.readouterr().out
    assert not [name for name, content in _files(tmp_path).items() if content.strip() in printed]


def test_what_is_removed_from_the_vault_is_made_anew_for_all_of_its_readers(tmp_path: Path) -> None:
    main([str(tmp_path)])
    before = _files(tmp_path)
    (tmp_path / "vault" / "kafka-gateway").unlink()
    main([str(tmp_path)])
    after = _files(tmp_path)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"vault/kafka-gateway", "gateway/kafka-password", "bootstrap/kafka/gateway"}
    assert after["gateway/kafka-password"] == after["bootstrap/kafka/gateway"]


def test_a_readers_lost_volume_is_filled_again_with_the_same(tmp_path: Path) -> None:
    main([str(tmp_path)])
    before = _files(tmp_path)
    for path in (tmp_path / "gateway").iterdir():
        path.unlink()
    main([str(tmp_path)])
    assert _files(tmp_path) == before


def test_no_reader_but_who_has_to_sees_anothers_password(tmp_path: Path) -> None:
    main([str(tmp_path)])
    originals = {path.name: path.read_text() for path in (tmp_path / "vault").iterdir()}
    seen: dict[str, set[str]] = {}
    for name, content in _files(tmp_path).items():
        reader = name.split("/")[0]
        for secret, value in originals.items():
            if reader != "vault" and not secret.endswith(".crt") and value.strip() in content:
                seen.setdefault(secret, set()).add(reader)
    assert "authority.key" not in seen
    assert seen == {
        "secret-key": {"gateway"},
        "signing-key.pem": {"gateway"},
        "postgres": {"postgres", "gateway", "bootstrap"},
        "redis": {"redis", "gateway"},
        "kafka-broker": {"kafka"},
        "kafka-bootstrap": {"kafka", "bootstrap"},
        "kafka-gateway": {"gateway", "bootstrap"},
        "kafka-audit-sink": {"audit-sink", "bootstrap"},
        "elastic": {"elasticsearch", "bootstrap"},
        "elasticsearch-gateway": {"gateway", "bootstrap"},
        "elasticsearch-translator": {"translator", "bootstrap"},
        "elasticsearch-audit-sink": {"audit-sink", "bootstrap"},
        "kibana_system": {"kibana", "bootstrap"},
        "kafka.key": {"kafka"},
        "elasticsearch.key": {"elasticsearch"},
        "edge.key": {"edge"},
        "grafana": {"grafana"},
    }


def test_the_gateway_takes_the_keys(tmp_path: Path) -> None:
    main([str(tmp_path)])
    assert len((tmp_path / "gateway" / "secret-key").read_text()) >= 50
    assert read_signing_keys((tmp_path / "gateway" / "signing-key.pem").read_text())


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing")]) == 1
    assert capsys.readouterr().err.startswith(f"first_start: {tmp_path / 'missing'}: ")
