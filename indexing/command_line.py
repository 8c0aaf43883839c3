"""Command line of a consumer: `serve` runs it in the foreground, the others look after the topics and dead letters."""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from indexing import log
from indexing.program import Program
from kit.settings import ConfigurationError
from kit.terminal import give_up_output

_FAILED = 1
_BAD_SETTINGS = 2
_INTERRUPTED = 130

_Command = Callable[[], int]


def main(program: Program, arguments: Sequence[str]) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, 1 where a dependency failed for good, 2 for settings or arguments that nothing can start
        with, 130 where Ctrl-C ended a command.
    """
    command = _command(program, arguments)
    log.configure(program.package)
    try:
        exit_status = command()
        sys.stdout.flush()
        return exit_status
    except ConfigurationError as error:
        print(f"{program.package}: {error}", file=sys.stderr)
        return _BAD_SETTINGS
    except KafkaException as error:
        print(f"{program.package}: Kafka: {error.args[0].str()}", file=sys.stderr)
        return _FAILED
    except BrokenPipeError as error:
        give_up_output(program.package, error)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED


def _command(program: Program, arguments: Sequence[str]) -> _Command:
    parser = argparse.ArgumentParser(prog=f"python -m {program.package}", description=program.description)
    parser.set_defaults(command=program.serve)
    commands = parser.add_subparsers(metavar="COMMAND")
    record = program.record
    commands.add_parser("serve", help=f"move {record}s into Elasticsearch until SIGTERM (the default)")
    text = f"print the lag, what is paused, the oldest unsettled {record}, and the dead letters"
    commands.add_parser("status", help=text).set_defaults(command=partial(_run_of("status"), program))
    creating = commands.add_parser("topics", help="create the topics that are not there yet")
    creating.set_defaults(command=partial(_run_of("topics"), program))
    if program.projection is not None:
        replaying = commands.add_parser(
            "replay", help="index the dead letters whose cause is mended; repeatable without doubling"
        )
        replaying.set_defaults(command=partial(_run_of("replay"), program, program.projection))
    securing = commands.add_parser("secure", help="give each service its user and its grants on the topics")
    securing.add_argument(
        "--passwords", type=Path, required=True, metavar="FOLDER", help="a file for each service, with its password"
    )
    letters = commands.add_parser("dead-letters", help="list the dead letters, or show one")
    actions = letters.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="a line each: where it is, the original's coordinates, reason, detail")
    listing.add_argument("--all", action="store_true", help="also those that were replayed")
    show = actions.add_parser("show", help="all of one: coordinates, reason, headers, and the original's bytes")
    show.add_argument("offset", type=_offset, help="its offset in the dead-letter topic, or PARTITION:OFFSET")
    options = parser.parse_args(arguments)
    if "passwords" in options:
        return partial(_run_of("secure"), program, options.passwords)
    if "all" in options:
        return partial(_run_of("dead_letters", "list_letters"), program, replayed=options.all)
    command: _Command = options.command
    return partial(_run_of("dead_letters", "show"), program, *options.offset) if "offset" in options else command


def _run_of(module: str, function: str = "run") -> Callable[..., int]:
    """A command's function, whose module is loaded when it is called: no command waits for what others need."""

    def run(*args: Any, **kwargs: Any) -> int:
        status: int = getattr(import_module(f"indexing.commands.{module}"), function)(*args, **kwargs)
        return status

    return run


def _offset(text: str) -> tuple[int, int]:
    """Read ``OFFSET`` (of partition 0) or ``PARTITION:OFFSET``."""
    match = re.fullmatch(r"(?:(\d{1,9}):)?(\d{1,18})", text, re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither OFFSET nor PARTITION:OFFSET")
    return int(match[1] or 0), int(match[2])
