"""The whole system under every fault at once: ``python -m tests.chaos`` (``make chaos``).

Kills, freezes and restarts audit sinks, gateways, workers, indexers, broker and Elasticsearch at random while events
are produced and documents written, lets everything settle, and prints both accounts. Ends with status 1 if one does
not close. Logs and data stay in ``build/chaos``.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from joserfc.jwk import RSAKey

from tests.chaos.run import run

_HOME = Path("build/chaos").resolve()


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the exit status is 1 if an account does not close."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long to do harm (%(default)s)")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"), help="of the faults' order")
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}, {options.seconds} s; logs in {_HOME}", flush=True)
    os.environ.setdefault("GATEWAY_JWT_KEYS", RSAKey.generate_key(2048).as_pem(private=True).decode())
    shutil.rmtree(_HOME, ignore_errors=True)
    wrong = run(_HOME, options.seconds, options.seed)
    for complaint in wrong:
        print(f"WRONG: {complaint}")
    print("the accounts do not close" if wrong else "the accounts close")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
