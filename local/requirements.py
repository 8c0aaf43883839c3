"""Rewrites ``requirements/``: versions and hashes of everything that ``pyproject.toml`` asks for, with no addresses."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent

# Each lock keeps to the versions of the one before it, which it contains.
_LOCKS = {"runtime": [], "embedded": ["--group", "embedded"], "dev": ["--group", "dev"]}


def lock() -> None:
    """Resolve the dependencies anew, for every platform and every supported Python.

    Raises:
        subprocess.CalledProcessError: they cannot be resolved; uv has said why.
    """
    options = ["--universal", "--python-version=3.11", "--generate-hashes", "--quiet", "--upgrade"]
    addresses = ["--no-emit-index-url", "--no-emit-find-links", "--no-header"]
    constraints: list[str] = []
    for name, group in _LOCKS.items():
        output = f"requirements/{name}.txt"
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *options, *addresses]
        subprocess.run([*command, *group, *constraints, "-o", output], cwd=_ROOT, check=True)
        constraints = ["-c", output]


if __name__ == "__main__":
    lock()
