"""Users of the running stack."""

import subprocess
import sys

from local.services import Services
from local.supervisor import clean_environment
from tests.support.identity import PASSWORD


def make_user(services: Services, name: str, *arguments: str) -> str:
    """Make a user by the command line, whose password is where those of the demo users are; returns the name."""
    made = subprocess.run(
        [sys.executable, "-m", "gateway", "user", name, "--password", *arguments],
        env=clean_environment(services.environment()),
        input=PASSWORD,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (services.home / f"{name}-password").write_text(PASSWORD, encoding="utf-8")
    return name
