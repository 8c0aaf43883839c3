"""Requests of `python -m elastic secure` to the cluster; tests/e2e tests what the roles allow."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from elastic.command_line import main
from elastic.security import roles
from tests.support.http_server import ElasticsearchHandler, serving

_REQUESTS: list[tuple[str, dict[str, Any]]] = []


class _Secured(ElasticsearchHandler):
    """Takes everything."""

    def do_PUT(self) -> None:  # pylint: disable=invalid-name  # the name that http.server calls
        """Take a role, a user or a password."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _REQUESTS.append((self.path, json.loads(body)))
        self.answer({})


_INVENTORY = r"/@&~(query-logs-.*|audit-erasures.*|inventory-progress|\..*)/"
"""Every index except the audit trail, the progress and the system's, as types are declared while all runs."""


@pytest.fixture(autouse=True)
def _cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    _REQUESTS.clear()
    with serving(_Secured) as url:
        monkeypatch.setenv("ELASTICSEARCH_URL", url)
        yield


def _passwords(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text(f"password of {name}\n", encoding="utf-8")
    return folder


def test_each_service_gets_the_role_of_its_file_and_a_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secure", "--passwords", str(_passwords(tmp_path, *roles()))]) == 0
    asked = dict(_REQUESTS)
    assert len(asked) == 2 * len(roles())
    for service, role in roles().items():
        name = f"sluice-{service}"
        assert asked[f"/_security/role/{name}"] == role
        assert asked[f"/_security/user/{name}"] == {"password": f"password of {service}", "roles": [name]}
    assert "password of" not in capsys.readouterr().out


def test_kibana_gets_its_password_where_there_is_one(tmp_path: Path) -> None:
    assert main(["secure", "--passwords", str(_passwords(tmp_path, *roles(), "kibana_system"))]) == 0
    assert _REQUESTS[-1] == ("/_security/user/kibana_system/_password", {"password": "password of kibana_system"})


def test_without_every_password_the_cluster_is_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (_passwords(tmp_path, *roles()) / "translator").unlink()
    assert main(["secure", "--passwords", str(tmp_path)]) == 2
    assert str(tmp_path / "translator") in capsys.readouterr().err
    (tmp_path / "translator").write_text("\n", encoding="utf-8")
    assert main(["secure", "--passwords", str(tmp_path)]) == 2
    assert "is empty" in capsys.readouterr().err
    assert not _REQUESTS


def test_no_role_may_change_or_delete_what_is_on_record() -> None:
    for role in roles().values():
        for grant in role["indices"]:
            if {"all", "write", "index", "delete", "delete_index", "manage"} & set(grant["privileges"]):
                assert grant["names"] in ([_INVENTORY], ["inventory-progress"])
            assert set(grant["names"]) <= {_INVENTORY, "inventory-progress", "query-logs-*"}
