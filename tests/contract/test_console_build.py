"""The console's built files are those of its sources, and its packages may be passed on."""

import filecmp
import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

WEB = ROOT / "web"
ROOM = ROOT / "gateway" / "console"
_LOCK = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
_LICENSES = {"0BSD", "Apache-2.0", "BSD-3-Clause", "ISC", "MIT", "MIT OR Apache-2.0", "MPL-2.0"}
"""MPL-2.0 is that of what builds and checks the page, none of which is in it."""
_SHIPPED = {"Apache-2.0", "MIT"}


def test_every_package_is_locked_by_its_hash_and_by_no_address() -> None:
    packages = {name: package for name, package in _LOCK["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_every_license_is_listed() -> None:
    packages = {name: package for name, package in _LOCK["packages"].items() if name}
    assert {package["license"] for package in packages.values()} <= _LICENSES
    assert {package["license"] for package in packages.values() if not package.get("dev")} <= _SHIPPED


def test_versions_are_exact() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert [version for version in versions if not version[0].isdigit()] == []


@pytest.mark.node
@pytest.mark.skipif(
    shutil.which("node") is None or not (WEB / "node_modules").exists(),
    reason="the page is built by Node; make console installs what it takes",
)
def test_the_built_files_are_what_the_sources_build(tmp_path: Path) -> None:
    web, room = tmp_path / "web", tmp_path / "gateway" / "console"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules", "build"))
    (web / "node_modules").symlink_to(WEB / "node_modules")
    room.mkdir(parents=True)
    done = subprocess.run(
        ["npm", "run", "--silent", "build"], cwd=web, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built, kept = (
        {
            path.relative_to(folder).as_posix(): path
            for path in [folder / "page.html", *(folder / "static").rglob("*.*")]
        }
        for folder in (room, ROOM)
    )
    assert set(built) == set(kept), "run make console, and commit what it builds"
    for name, path in built.items():
        if name.endswith(".gz"):
            # How well it is packed is the packer's affair.
            assert gzip.decompress(path.read_bytes()) == gzip.decompress(kept[name].read_bytes())
        else:
            assert filecmp.cmp(path, kept[name], shallow=False), f"{name}: run make console, and commit what it builds"
