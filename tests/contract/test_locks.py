"""The locks: `make` and the image install exactly what is in them, whatever has been released since.

Each test has a package index of its own on loopback, with newer releases than its lock, and runs the very commands of
the Makefile and of the Dockerfile.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from virtualenv.seed.wheels.embed import get_embed_wheel

from local import ports
from tests.support.paths import ROOT

# virtualenv, which pre-commit asks for, brings wheels of pip along.
_NEWEST_PIP = get_embed_wheel("pip", f"{sys.version_info.major}.{sys.version_info.minor}")
_RUN = re.findall(r"^RUN (pip (?:.*\\\n)*.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)

_EXTRA = ["helper; extra == 'more'"]


class _QuietIndex(SimpleHTTPRequestHandler):
    """A simple index (PEP 503): its pages are the listings of the folders, whose files are links."""

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Stay quiet."""


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietIndex, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def _release(index: Path, name: str, version: str, requires: Sequence[str] = (), tag: str = "py3-none-any") -> str:
    """Build a wheel and put it on the index; gives its line of a lock."""
    wheel = index / name / f"{name}-{version}-{tag}.whl"
    wheel.parent.mkdir(parents=True, exist_ok=True)
    about = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Provides-Extra: more"]
    files = {
        f"{about}/METADATA": "\n".join([*metadata, *(f"Requires-Dist: {each}" for each in requires), ""]),
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


class _Clone:
    """A new clone's Makefile with a lock, on a machine that knows one package index."""

    def __init__(self, folder: Path, lock: Sequence[str], index_url: str, venv: Path | None = None) -> None:
        self.folder = folder
        (folder / "requirements").mkdir(parents=True)
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copy(ROOT / "requirements" / "install", folder / "requirements")
        for name in ("dev", "peers"):
            (folder / "requirements" / f"{name}.txt").write_text("\n".join([*lock, ""]), encoding="utf-8")
        if venv is not None:
            _copy_venv(venv, folder / ".venv")
        # The machine's configuration is not for a test, nor are make's arguments for another make.
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE", "MFLAGS"))}
        self._environment = own | {"PIP_INDEX_URL": index_url, "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": os.devnull}

    def run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command in the clone."""
        return subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False, timeout=120
        )

    def make(self, *targets: str) -> "subprocess.CompletedProcess[str]":
        """Run make with this Python."""
        return self.run("make", f"PYTHON={sys.executable}", *targets)

    def installed(self, venv: str) -> set[str]:
        """The packages in a virtual environment, as name and version."""
        names = (path.name.removesuffix(".dist-info") for path in self.folder.glob(f"{venv}/lib/*/*/*.dist-info"))
        return {name for name in names if not name.startswith(("pip-", "setuptools-"))}


def _copy_venv(venv: Path, copy: Path) -> None:
    """Copy a virtual environment, whose commands name their Python by its path; making one takes four seconds."""
    shutil.copytree(venv, copy, symlinks=True)
    for command in (copy / "bin").glob("pip*"):
        command.write_text(command.read_text(encoding="utf-8").replace(str(venv), str(copy)), encoding="utf-8")


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The virtual environment of a new clone, as make makes it, with nothing installed yet."""
    clone = _Clone(tmp_path_factory.mktemp("venv") / "clone", [], "")
    done = clone.make(".venv/made.stamp")
    assert done.returncode == 0, done.stderr
    return clone.folder / ".venv"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """The folder of a package index."""
    return tmp_path / "index"


@pytest.fixture
def clone(index: Path, tmp_path: Path, venv: Path) -> Iterator[_Clone]:
    """A clone whose lock has an extra's package in an older release than the index has."""
    lock = [
        _release(index, "plugin", "1.0", ["core[more]>=1"]),
        _release(index, "core", "1.0", _EXTRA),
        _release(index, "helper", "1.0"),
    ]
    _release(index, "core", "2.0", _EXTRA)
    _release(index, "helper", "2.0")
    with _serving(index) as url:
        yield _Clone(tmp_path / "clone", lock, url, venv)


_LOCKED = {"plugin-1.0", "core-1.0", "helper-1.0"}


def _bring_pip(clone: _Clone, newest: bool) -> None:
    """Leave the virtual environment the pip that Python brings, or make it the newest."""
    if newest:
        assert _NEWEST_PIP is not None
        upgraded = clone.run(".venv/bin/pip", "install", "--no-index", _NEWEST_PIP.path)
        assert upgraded.returncode == 0, upgraded.stderr


@pytest.mark.parametrize("newest", [False, True], ids=["pip of Python", "newest pip"])
def test_a_newer_release_of_a_package_with_an_extra_changes_nothing(clone: _Clone, newest: bool) -> None:
    _bring_pip(clone, newest)
    done = clone.make(".venv/dev.stamp")
    assert done.returncode == 0, done.stderr
    assert clone.installed(".venv") == _LOCKED


def test_nor_does_it_in_the_environment_of_the_peers(clone: _Clone) -> None:
    done = clone.make("build/peers/made.stamp")
    assert done.returncode == 0, done.stderr
    assert clone.installed("build/peers") == _LOCKED


def test_nor_does_it_in_the_image(clone: _Clone) -> None:
    _bring_pip(clone, newest=False)
    assert clone.run(sys.executable, "-m", "venv", "--without-pip", "sluice").returncode == 0
    (command,) = _RUN
    for there, here in (("/opt/sluice", "sluice"), ("/tmp/runtime.txt", "requirements/dev.txt")):
        assert there in command
        command = command.replace(there, here)
    done = clone.run("bash", "-c", f"PATH=.venv/bin:$PATH; {command}")
    assert done.returncode == 0, done.stderr
    assert clone.installed("sluice") == _LOCKED


def test_a_lock_that_lacks_a_dependency_is_refused_with_its_name(index: Path, tmp_path: Path, venv: Path) -> None:
    lock = [_release(index, "plugin", "1.0", ["core>=1"])]
    _release(index, "core", "1.0")
    with _serving(index) as url:
        done = _Clone(tmp_path / "clone", lock, url, venv).make(".venv/dev.stamp")
    assert done.returncode != 0
    assert "requirements/dev.txt cannot be installed: plugin 1.0 requires core, which is not installed." in done.stderr


def test_a_package_without_a_wheel_is_named_in_one_line_and_another_python_can_be_tried(
    index: Path, tmp_path: Path, venv: Path
) -> None:
    lock = [_release(index, "core", "1.0", tag="cp27-cp27m-win32")]
    with _serving(index) as url:
        clone = _Clone(tmp_path / "clone", lock, url, venv)
        done = clone.make(".venv/dev.stamp")
    assert done.returncode != 0
    said, *make = done.stderr.splitlines()
    assert "core==1.0 has no wheel for Python 3." in said
    assert said.endswith("README.md lists what has: make PYTHON=python3.13 .venv/dev.stamp (the log is .venv/dev.log)")
    assert len(make) == 1  # make's own word on which target failed
    assert not (clone.folder / ".venv" / "made.stamp").exists()


def test_without_a_network_the_advice_is_to_check_that(tmp_path: Path, venv: Path) -> None:
    (closed,) = ports.free(1)
    lock = ["core==1.0 --hash=sha256:" + "0" * 64]
    done = _Clone(tmp_path / "clone", lock, f"http://127.0.0.1:{closed}/", venv).make(".venv/dev.stamp")
    assert done.returncode != 0
    assert "PyPI cannot be reached, which the first run needs: check the network and try again" in done.stderr


def test_ci_installs_without_a_cache_as_a_new_machine_does() -> None:
    assert "\nexport PIP_NO_CACHE_DIR=1\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").partition("\nmake ")[0]


@pytest.mark.parametrize("folder", ["postman", "tests/oidc_provider", "tests/chart_schemas"])
def test_node_s_lock_has_a_hash_of_every_package_and_no_address(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert not [name for name, each in packages.items() if not each.get("integrity", "").startswith("sha512-")]
    assert not [name for name, each in packages.items() if "resolved" in each]
