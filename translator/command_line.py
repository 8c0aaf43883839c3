"""Command line: `serve` serves; `QUERY --mapping FILE` and `--batch` translate."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from kit.settings import ConfigurationError
from kit.terminal import give_up_output
from translator.catalogue import MappingError
from translator.dsl import translate
from translator.errors import QueryError
from translator.json_lines import read_mapping, translate_line
from translator.notices import notice_line
from translator.server import serve

_REJECTED = 2
_UNUSABLE = 2
_UNWRITABLE = 1


def main(arguments: Sequence[str]) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 2 for a rejected query, an invalid mapping, or invalid settings; 1
        for an output that cannot be written.
    """
    parser = argparse.ArgumentParser(prog="python -m translator", description="Translate queries to Elasticsearch DSL.")
    parser.add_argument("query", nargs="?", help="the query; or the word serve, to serve HTTP in the foreground")
    parser.add_argument("--mapping", type=Path, help="a file with the index's mapping, as JSON")
    parser.add_argument("--case-insensitive", action="store_true", help="ignore the case of letters in strings")
    parser.add_argument("--batch", action="store_true", help="translate the JSON objects on standard input, one a line")
    options = parser.parse_args(arguments)
    if options.batch:
        if options.query is not None or options.mapping is not None:
            parser.error("--batch takes queries and mappings from standard input alone")
        return _printing(_batch)
    if options.query == "serve" and options.mapping is None:
        try:
            return serve()
        except ConfigurationError as error:
            print(f"translator: {error}", file=sys.stderr)
            return _UNUSABLE
    if options.query is None or options.mapping is None:
        parser.error("give a query and its --mapping, or serve, or --batch")
    return _printing(lambda: _one(options.query, options.mapping, options.case_insensitive))


def _printing(work: Callable[[], int]) -> int:
    """Do work that writes to standard output, which may be full or closed."""
    try:
        status = work()
        sys.stdout.buffer.flush()
    except OSError as error:
        give_up_output("translator", error)
        return _UNWRITABLE
    return status


def _one(query: str, mapping: Path, case_insensitive: bool) -> int:
    try:
        catalogue = read_mapping(orjson.loads(mapping.read_bytes()))
        translation = translate(query, catalogue, case_insensitive=case_insensitive)
    except (OSError, orjson.JSONDecodeError, MappingError) as error:
        print(f"{mapping}: {error}", file=sys.stderr)
        return _UNUSABLE
    except QueryError as error:
        print(error, file=sys.stderr)
        return _REJECTED
    for notice in translation.notices:
        print(notice_line(notice), file=sys.stderr)
    sys.stdout.buffer.write(orjson.dumps(translation.query, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return 0


def _batch() -> int:
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(translate_line(line) + b"\n")
        # The writer of a line may wait for its answer before the next.
        sys.stdout.buffer.flush()
    return 0
