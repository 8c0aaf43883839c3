"""Command line of the lake: `serve` writes the tables in the foreground, the others read them and look after them."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from confluent_kafka import KafkaException
from deltalake.exceptions import DeltaError

from indexing import log
from kit.settings import ConfigurationError
from kit.terminal import give_up_output
from lake.errors import LakeError, one_line

_FAILED = 1
_BAD_SETTINGS = 2
_INTERRUPTED = 130

_COMMANDS = {
    "serve": "write events into the tables until SIGTERM (the default)",
    "secure": "give the lake its user and its grants on the topic",
    "marts": "make the marts of days again",
    "report": "print who searched what, by keys of users or, for auditors, their names",
    "sql": "run an analyst's SELECT over the tables, without names",
    "compact": "write each closed hour again as one sorted file, with one row an event; for an hourly job",
    "vacuum": "delete files that are no part of a table any more; for a daily job",
    "enrich": "fill the networks and assets of events that were written without them",
    "reconcile": "prove that nothing is lost or doubled, or say by how much",
    "score": "say who behaved unlike themselves on a day, and why",
    "erase": "count one person's records, or delete them and prove that nothing is left",
}
"""Each command's help; its module has the same name."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, 1 where a command failed, 2 for settings or arguments that nothing can start with, 130
        where Ctrl-C ended a command.
    """
    parser = argparse.ArgumentParser(prog="python -m lake", description="Keep the audit trail for years.")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    for name, text in _COMMANDS.items():
        # What follows the name is the command's own.
        commands.add_parser(name, help=text, add_help=False)
    options, rest = parser.parse_known_args(arguments)
    log.configure("lake")
    try:
        status: int = import_module(f"lake.commands.{options.command or 'serve'}").main(rest)
        sys.stdout.flush()
        return status
    except ConfigurationError as error:
        print(f"lake: {error}", file=sys.stderr)
        return _BAD_SETTINGS
    except LakeError as error:
        print(f"lake: {error}", file=sys.stderr)
    except KafkaException as error:
        print(f"lake: Kafka: {error.args[0].str()}", file=sys.stderr)
    except (DeltaError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            give_up_output("lake", error)
        else:
            print(f"lake: {one_line(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        return _INTERRUPTED
    return _FAILED
