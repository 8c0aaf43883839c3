"""API keys, made as an operator makes them."""

import subprocess
import sys
from collections.abc import Mapping

_MAKE = """
from gateway.identity.api_keys import issue_key
from gateway.identity.models import User
print(issue_key(User.objects.get(username="octoAdmin"), "a test")[1])
"""


def make_api_key(environment: Mapping[str, str]) -> str:
    """A key of octoAdmin's, for the gateway that runs with these variables."""
    command = [sys.executable, "-m", "gateway", "shell", "--no-imports", "--command", _MAKE]
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=30)
    return made.stdout.strip()
