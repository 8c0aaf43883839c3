"""The forge's configuration and the commit hooks, held to by the tools that know them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _jobs() -> dict[str, Any]:
    return {f"{path.name}: {name}": job for path in WORKFLOWS for name, job in _read(path)["jobs"].items()}


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS],
        ["check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"],
        ["zizmor", "--offline", "--quiet", ".github"],
        ["pre-commit", "validate-config"],
    ],
    ids=["workflows", "dependabot", "zizmor", "pre-commit"],
)
def test_the_tool_that_knows_it_finds_nothing_wrong(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("job", _jobs().values(), ids=_jobs())
def test_a_job_may_read_the_code_and_nothing_else_and_runs_what_is_pinned(job: dict[str, Any]) -> None:
    assert job["permissions"] == {"contents": "read"}
    assert job["timeout-minutes"] <= 45
    for step in job["steps"]:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))
        if "environment" not in job:
            assert "secrets." not in str(step)


def test_the_image_is_pushed_after_every_other_job_from_the_main_branch_alone_with_one_secret() -> None:
    jobs = _read(ROOT / ".github/workflows/ci.yml")["jobs"]
    image = jobs["image"]
    assert set(image["needs"]) == {*jobs} - {"image"}
    assert "github.event_name == 'push' && github.ref == 'refs/heads/main'" in image["if"]
    assert re.findall(r"secrets\.\w+", str(image)) == ["secrets.IMAGE_PASSWORD"]
    # The registry is a variable of the repository; what is pushed says how it was built.
    script = (ROOT / ".ci/image").read_text(encoding="utf-8")
    assert "--provenance mode=max" in script
    assert not re.search(r"\b\w+\.(io|com|org|dev)\b", script)


def test_a_job_without_permissions_of_its_own_may_do_nothing() -> None:
    assert [_read(path)["permissions"] for path in WORKFLOWS] == [{}] * len(WORKFLOWS)


def test_every_script_of_a_job_is_there_and_has_no_faults_of_form() -> None:
    scripts = {
        step["run"] for job in _jobs().values() for step in job["steps"] if step.get("run", "").startswith(".ci/")
    }
    assert scripts == {".ci/run", ".ci/compose", ".ci/image"}
    for script in scripts:
        assert (ROOT / script).stat().st_mode & 0o111
        assert subprocess.run(["bash", "-n", ROOT / script], check=False).returncode == 0


def test_every_hook_is_a_tool_that_is_locked_or_a_target_of_make() -> None:
    locked = {path.name for path in BIN.iterdir()}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    (repository,) = _read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        words = hook["entry"].split()
        if words[0] == "make":
            assert words[1] in targets
        else:
            assert words[0].startswith(".venv/bin/")
            assert words[0].removeprefix(".venv/bin/") in locked


def test_every_hook_has_files_to_look_at() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*"), *(ROOT / ".github").rglob("*.yml"))]
    for hook in _read(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]:
        assert any(re.search(hook.get("files", ""), name) for name in names), hook["id"]
