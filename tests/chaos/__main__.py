"""The audit sink under every fault at once: ``python -m tests.chaos`` (``make chaos``).

Kills, freezes and restarts sinks, broker and Elasticsearch at random while events are produced, lets everything settle,
and prints the account. Ends with status 1 if the account does not close. Logs and data stay in ``build/chaos``.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.run import run

_HOME = Path("build/chaos").resolve()


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the exit status is 1 if the account does not close."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long to do harm (%(default)s)")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"), help="of the faults' order")
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}, {options.seconds} s; logs in {_HOME}", flush=True)
    shutil.rmtree(_HOME, ignore_errors=True)
    wrong = run(_HOME, options.seconds, options.seed)
    for complaint in wrong:
        print(f"WRONG: {complaint}")
    print("the account does not close" if wrong else "the account closes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
