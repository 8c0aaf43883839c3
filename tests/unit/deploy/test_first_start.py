"""The secrets of a deployment: made once, each before its readers alone, and left alone afterwards."""

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deploy.first_start import readers
from deploy.first_start.command_line import main
from gateway.identity.providers.settings import read_providers
from gateway.identity.signing_keys import read_signing_keys

_ONLY_OWNER_READS = 0o400
_SERVERS_CERTIFICATES = {"kafka.crt", "elasticsearch.crt", "postgres.crt", "redis.crt"}


@pytest.fixture(autouse=True, scope="module")
def _own() -> Iterator[None]:
    """All files are the tests' own; only root could give them away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers, "OWNERS", dict.fromkeys(readers.OWNERS, os.getuid()))
        yield


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    assert main([str(folder)]) == 0
    return folder


@pytest.fixture
def deployment(_made: Path, tmp_path: Path) -> Path:
    """The secrets of a first start."""
    return shutil.copytree(_made, tmp_path / "deployment")


_GIVEN = {"mail-url", "jwe-keys", "providers.json"}
"""Secrets that an operator gives, and that are empty without."""


def _files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_every_secret_is_a_file_that_its_owner_alone_can_read(deployment: Path) -> None:
    for path in deployment.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else _ONLY_OWNER_READS), path
        assert path.is_dir() or path.stat().st_size or path.name in _GIVEN, path


def test_a_second_run_changes_nothing_and_says_so(deployment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _files(deployment)
    capsys.readouterr()
    assert main([str(deployment)]) == 0
    assert _files(deployment) == before
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
    assert not [name for name, content in _files(tmp_path).items() if content and content.strip() in printed]


def test_a_secret_that_is_removed_from_the_vault_is_made_anew_for_all_of_its_readers(deployment: Path) -> None:
    before = _files(deployment)
    (deployment / "vault" / "kafka-gateway").unlink()
    main([str(deployment)])
    after = _files(deployment)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        "vault/kafka-gateway",
        "command-gateway/kafka-password",
        "query-gateway/kafka-password",
        "bootstrap/kafka/gateway",
    }
    assert after["query-gateway/kafka-password"] == after["bootstrap/kafka/gateway"]


@pytest.mark.parametrize(
    ("removed", "anew"),
    [
        ({"edge.key"}, {"edge.key", "edge.crt"}),
        ({"kafka.key"}, {"kafka.key", "kafka.crt"}),
        ({"authority.crt"}, {"authority.crt"}),
        ({"postgres.key"}, {"postgres.key", "postgres.crt"}),
        ({"redis.crt"}, {"redis.crt"}),
        ({"authority.key"}, {"authority.key", "authority.crt", *_SERVERS_CERTIFICATES}),
        ({"authority.key", "authority.crt"}, {"authority.key", "authority.crt", *_SERVERS_CERTIFICATES}),
        ({"kafka.key", "authority.key"}, {"authority.key", "authority.crt", "kafka.key", *_SERVERS_CERTIFICATES}),
    ],
)
def test_certificates_are_always_of_their_keys_and_of_the_present_authority(
    deployment: Path, removed: set[str], anew: set[str]
) -> None:
    before = _files(deployment / "vault")
    for name in removed:
        (deployment / "vault" / name).unlink()
    assert main([str(deployment)]) == 0
    after = _files(deployment / "vault")
    assert {name for name in after if after[name] != before[name]} == anew
    trusted = {
        (deployment / reader / "ca.crt").read_text()
        for reader in ("command-gateway", "query-gateway", "kafka", "elasticsearch", "redis")
    }
    assert trusted == {after["authority.crt"]}
    authority = x509.load_pem_x509_certificate(after["authority.crt"].encode())
    for name in ("authority", "kafka", "elasticsearch", "postgres", "redis", "edge"):
        certificate = x509.load_pem_x509_certificate(after[f"{name}.crt"].encode())
        certificate.verify_directly_issued_by(certificate if name == "edge" else authority)
        key = serialization.load_pem_private_key(after[f"{name}.key"].encode(), None)
        assert certificate.public_key() == key.public_key()


@pytest.mark.parametrize("name", ["elastic", "secret-key", "signing-key.pem", "authority.key", "edge.crt"])
def test_an_emptied_original_is_refused_and_nothing_is_made_in_its_place(
    deployment: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    emptied = deployment / "vault" / name
    emptied.chmod(0o600)
    emptied.write_text("\n")
    before = _files(deployment)
    capsys.readouterr()
    assert main([str(deployment)]) == 1
    assert _files(deployment) == before
    said = capsys.readouterr().err
    assert said.startswith(f"first_start: {emptied} is empty; ")
    assert said.count("\n") == 1


def test_text_that_is_no_key_is_refused_in_one_line(deployment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = deployment / "vault" / "kafka.key"
    damaged.chmod(0o600)
    damaged.write_text("-----BEGIN PRIVATE KEY-----\n")
    capsys.readouterr()
    assert main([str(deployment)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"first_start: {damaged} is no private key")
    assert said.count("\n") == 1


def test_a_password_that_was_written_with_an_editor_has_no_line_feed(deployment: Path) -> None:
    written = deployment / "vault" / "redis"
    written.chmod(0o600)
    written.write_text("by-hand\n")
    assert main([str(deployment)]) == 0
    assert "://:by-hand@redis:6379/0?" in (deployment / "query-gateway" / "redis-url").read_text()


@pytest.mark.parametrize(
    "host", ["*.example.com", "sluice.example.com:8443", "münchen.example", "", "a b", "::1", "-a", "a.b."]
)
def test_text_that_is_no_host_is_refused_in_one_line_before_anything_is_made(
    tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), f"--host={host}"]) == 2
    said = capsys.readouterr().err
    assert "SLUICE_HOST" in said
    assert said.count("\n") == 1
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "host", ["sluice.example.com", "192.0.2.7", "xn--mnchen-3ya.example", "host", f"{'a' * 63}.example.com"]
)
def test_the_edge_is_certified_for_its_host(deployment: Path, host: str) -> None:
    assert main([str(deployment), "--host", host]) == 0
    certificate = x509.load_pem_x509_certificate((deployment / "edge" / "tls.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert str(next(iter(names)).value) == host


def test_a_readers_lost_volume_is_filled_again_with_the_same(deployment: Path) -> None:
    before = _files(deployment)
    for path in (deployment / "query-gateway").iterdir():
        path.unlink()
    main([str(deployment)])
    assert _files(deployment) == before


def test_no_service_sees_the_password_of_another_except_where_it_must(deployment: Path) -> None:
    originals = {path.name: path.read_text() for path in (deployment / "vault").iterdir()}
    seen: dict[str, set[str]] = {}
    for name, content in _files(deployment).items():
        reader = name.split("/")[0]
        for secret, value in originals.items():
            if reader != "vault" and not secret.endswith(".crt") and value.strip() in content:
                seen.setdefault(secret, set()).add(reader)
    assert "authority.key" not in seen
    assert seen == {
        "secret-key": {"command-gateway", "worker"},
        "query-secret-key": {"query-gateway"},
        "signing-key.pem": {"command-gateway"},
        "postgres": {"postgres", "command-gateway", "worker", "bootstrap"},
        "postgres-query": {"query-gateway", "bootstrap"},
        "postgres-live": {"live", "bootstrap"},
        "redis": {"redis", "command-gateway", "query-gateway", "worker"},
        "kafka-broker": {"kafka"},
        "kafka-bootstrap": {"kafka", "bootstrap"},
        "kafka-gateway": {"command-gateway", "query-gateway", "bootstrap"},
        "kafka-audit-sink": {"audit-sink", "bootstrap"},
        "kafka-worker": {"worker", "bootstrap"},
        "kafka-live": {"live", "bootstrap"},
        "kafka-inventory-index": {"inventory-index", "bootstrap"},
        "kafka-lake": {"lake", "bootstrap"},
        "lake-user-key": {"lake"},
        "elastic": {"elasticsearch", "bootstrap"},
        "elasticsearch-gateway": {"query-gateway", "bootstrap"},
        "elasticsearch-translator": {"translator", "bootstrap"},
        "elasticsearch-audit-sink": {"audit-sink", "bootstrap"},
        "elasticsearch-worker": {"worker", "bootstrap"},
        "elasticsearch-inventory-index": {"inventory-index", "bootstrap"},
        "elasticsearch-lake": {"lake", "bootstrap"},
        "kibana_system": {"kibana", "bootstrap"},
        "kafka.key": {"kafka"},
        "elasticsearch.key": {"elasticsearch"},
        "postgres.key": {"postgres"},
        "redis.key": {"redis"},
        "edge.key": {"edge"},
        "grafana": {"grafana"},
    }


def test_the_mail_service_that_an_operator_names_is_known_to_those_who_send_mail(deployment: Path) -> None:
    readers_of_it = {"command-gateway", "worker"}
    assert {path.parent.name for path in deployment.rglob("mail-url")} == readers_of_it
    (deployment / "vault" / "mail-url").write_text("smtp://mail.example.com")
    assert main([str(deployment)]) == 0
    for reader in readers_of_it:
        assert (deployment / reader / "mail-url").read_text() == "smtp://mail.example.com"


def test_the_providers_and_keys_that_an_operator_gives_are_known_to_those_who_take_tokens(deployment: Path) -> None:
    google = {"client_id": "us", "client_secret": "hush", "bearer": True}
    corp = {"issuer": "https://login.example.com", "client_id": "us", "client_secret": "hush"}
    (deployment / "vault" / "providers.json").write_text(json.dumps({"google": google, "corp": corp}))
    (deployment / "vault" / "jwe-keys").write_text("a key\n")
    assert main([str(deployment)]) == 0
    readers = {"command-gateway", "query-gateway", "live"}
    for name in ("providers.json", "jwe-keys"):
        assert {path.parent.name for path in deployment.rglob(name)} == {"vault", *readers}
    tables = {reader: (deployment / reader / "providers.json").read_text() for reader in readers}
    assert set(read_providers(tables["command-gateway"])) == {"google", "corp"}
    for reader in readers - {"command-gateway"}:
        assert set(read_providers(tables[reader])) == {"google"}
        assert "hush" not in tables[reader]


def test_a_table_of_providers_that_is_none_is_refused_and_not_shown(
    deployment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (deployment / "vault" / "providers.json").write_text('{"corp": {"client_secret": "hush"}}')
    assert main([str(deployment)]) != 0
    said = capsys.readouterr().err
    assert "providers.json corp.issuer" in said and "hush" not in said


def test_the_gateways_take_the_keys_of_their_sides(deployment: Path) -> None:
    signing = read_signing_keys((deployment / "command-gateway" / "signing-key.pem").read_text())
    verifying = read_signing_keys((deployment / "query-gateway" / "verifying-keys.pem").read_text())
    assert [key.kid for key in verifying] == [key.kid for key in signing]
    assert [key.is_private for key in (*signing, *verifying)] == [True, False]
    own, others = ((deployment / side / "secret-key").read_text() for side in ("command-gateway", "query-gateway"))
    assert min(len(own), len(others)) >= 50
    assert own != others


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing")]) == 1
    assert capsys.readouterr().err.startswith(f"first_start: {tmp_path / 'missing'}: ")
