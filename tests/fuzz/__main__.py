"""Looks for what the tests have not found: `python -m tests.fuzz language` and `python -m tests.fuzz parser`.

Both are bounded, and end with an exception that shows what they found, or with status 0.
"""

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    language = parts.add_parser("language", help="hold real Elasticsearch against the reference evaluator")
    language.add_argument("--examples", type=int, default=20_000, help="queries to ask (%(default)s)")
    language.add_argument("--first", type=int, default=1_000, help="number of the first batch (%(default)s)")
    texts = parts.add_parser("parser", help="search texts for one that breaks the parser, guided by coverage")
    texts.add_argument("--texts", type=int, default=1_000_000, help="texts to try at most (%(default)s)")
    texts.add_argument("--seconds", type=int, default=300, help="seconds to try for at most (%(default)s)")
    options = parser.parse_args(arguments)
    # Each part needs a library that the other does without.
    # pylint: disable=import-outside-toplevel
    if options.part == "language":
        from tests.fuzz.language import fuzz as fuzz_language

        fuzz_language(options.examples, options.first)
    else:
        from tests.fuzz.parser import fuzz as fuzz_parser

        fuzz_parser(options.texts, options.seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
