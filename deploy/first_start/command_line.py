"""Command line of ``python -m deploy.first_start``: makes missing secrets; a second run changes nothing."""

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from deploy.first_start import files, readers
from deploy.first_start.vault import Vault, VaultError

_VAULT = "vault"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# RFC 1123, section 2.1; an IPv4 address looks like one. As it is in a certificate: no port, no wildcard, and what has
# other letters than these in its xn-- form.
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")


def main(arguments: list[str] | None = None) -> int:
    """Run, and return the exit status: 0 done, 1 for an invalid file, 2 for an invalid host."""
    parser = argparse.ArgumentParser(prog="python -m deploy.first_start", description="Make the deployment's secrets.")
    parser.add_argument("folder", type=Path, help="holds a folder for each reader, and the originals")
    parser.add_argument("--host", default="localhost", help="the name or address that clients know the edge by")
    options = parser.parse_args(arguments)
    if not _HOST.fullmatch(options.host):
        print(
            f"first_start: the host (SLUICE_HOST) is {options.host!r}; it must be a name such as sluice.example.com, or"
            " an IPv4 address, without a port",
            file=sys.stderr,
        )
        return 2
    hosts = list(dict.fromkeys((options.host, "localhost", "127.0.0.1")))
    folder: Path = options.folder
    try:
        vault = Vault(folder / _VAULT, folder.stat().st_uid, datetime.now(UTC))
        changed = [
            f"{reader}/{name}"
            for reader, held in readers.contents(vault, hosts).items()
            for name, content in held.items()
            if files.write(folder / reader / name, content, readers.OWNERS[reader])
        ]
    except OSError as error:
        print(f"first_start: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except VaultError as error:
        print(f"first_start: {error}", file=sys.stderr)
        return 1
    for name in changed:
        print(f"made {name}")
    if not changed:
        print("every secret is in its place")
    return 0
