"""Rooms of the gateway: each reads its own settings and those of rooms below it.

import-linter cannot see it, because the settings of all rooms are one object.
"""

import ast
import tomllib
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from kit.settings import Settings
from tests.support.paths import ROOT

_GATEWAY = ROOT / "gateway"


def _levels() -> dict[str, int]:
    """The level of each room, from the bottom, in import-linter's contract."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each.get("containers") == ["gateway"])
    return {room: level for level, layer in enumerate(reversed(layers)) for room in layer.split(" | ")}


def _owners() -> dict[str, str]:
    """The room of each setting."""
    owners: dict[str, str] = {}
    for described in GatewaySettings.__bases__:
        assert issubclass(described, Settings)
        owners |= dict.fromkeys(described.model_fields, described.__module__.split(".")[1])
    return owners


_LEVELS, _OWNERS = _levels(), _owners()


def _read_from_elsewhere(room: str, source: str) -> set[str]:
    """The settings that a module of a room reads, except its own and those of rooms below."""
    names = {"settings.GATEWAY"}
    read: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            if node.value is not None and ast.unparse(node.value) == "settings.GATEWAY":
                names.update(map(ast.unparse, node.targets if isinstance(node, ast.Assign) else [node.target]))
        elif isinstance(node, ast.Attribute) and node.attr in _OWNERS:
            read.add((ast.unparse(node.value), node.attr))
    owned = {name: _OWNERS[name] for read_of, name in read if read_of in names}
    return {name for name, owner in owned.items() if owner != room and _LEVELS[owner] >= _LEVELS[room]}


def _modules(room: str) -> list[Path]:
    return [_GATEWAY / f"{room}.py"] if (_GATEWAY / f"{room}.py").exists() else sorted((_GATEWAY / room).rglob("*.py"))


@pytest.mark.parametrize("room", _LEVELS)
def test_a_room_reads_its_own_settings_and_those_of_rooms_below_it(room: str) -> None:
    modules = _modules(room)
    assert modules
    found = {str(path.relative_to(ROOT)): _read_from_elsewhere(room, path.read_text("utf-8")) for path in modules}
    assert not {path: sorted(names) for path, names in found.items() if names}


@pytest.mark.parametrize(
    "source",
    [
        "port = settings.GATEWAY.port",
        "settled = PerProcess(make, lambda: (settings.GATEWAY.port,))",
        "def serve():\n    configured = settings.GATEWAY\n    return configured.port",
        "configured: HttpSettings = settings.GATEWAY\nconfigured.port",
    ],
)
def test_a_read_from_a_room_above_is_found(source: str) -> None:
    assert _read_from_elsewhere("search", source) == {"port"}
    assert _read_from_elsewhere("serving", source) == _read_from_elsewhere("health", source) == set()


def test_rooms_side_by_side_do_not_read_each_other_s_settings() -> None:
    assert _read_from_elsewhere("saved", "settings.GATEWAY.live_port") == {"live_port"}
