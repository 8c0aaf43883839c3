"""``python -m gateway search QUERY``: a search from the terminal, over HTTP like anybody's."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

import orjson
from django.core.management.base import BaseCommand

from gateway.cli.arguments import add_caller, text
from gateway.cli.remote import FAILED, authorization, explained, post
from gateway.cli.settings import CallerSettings
from gateway.search.serializers import MAX_SIZE
from kit.table import table
from kit.terminal import give_up_output, printable

_MEMBERS = {"query_id", "count", "count_relation", "took_ms", "results", "notices"}


class Command(BaseCommand):
    """Asks a running gateway and prints the answer as a table, or as it came; notices on standard error."""

    help = "Search through a running gateway. No credential is taken from the command line, which others can read."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the query and what goes with it."""
        parser.add_argument("query", metavar="QUERY", type=text, help='such as "Hostname = octoxlabs*"')
        add_caller(parser)
        parser.add_argument("--index", type=text, help="the index to search")
        parser.add_argument("--size", type=_size, default=20, help=f"documents to print, 0 to {MAX_SIZE:,}")
        parser.add_argument("--fields", type=text, help="members of a document to print, comma separated")
        parser.add_argument(
            "--sort", type=text, help='fields to sort by, comma separated, "-" before one for descending order'
        )
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Search and print; exit status 2 for a request that is refused, 1 for a gateway that fails or is not there."""
        body = {"query": options["query"], "size": options["size"]}
        if options["index"]:
            body["index"] = options["index"]
        for name in ("fields", "sort"):
            if options[name]:
                body[name] = [part.strip() for part in options[name].split(",")]
        url = options["url"]
        with explained(self.stderr):
            authorized = authorization(url, options["user"], CallerSettings.load())
            answer = post(f"{url}/search", body, _MEMBERS, authorized)
        for notice in answer["notices"]:
            self.stderr.write(_notice_line(notice))
        try:
            self._print(answer, body.get("fields"), as_json=options["json"])
            sys.stdout.flush()
        except OSError as error:
            give_up_output("gateway", error)
            sys.exit(FAILED)

    def _print(self, answer: Any, fields: Any, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
            return
        results = answer["results"]
        columns = fields or list(dict.fromkeys(name for result in results for name in result))
        for line in table(columns, [[_member(result, name) for name in columns] for result in results]):
            self.stdout.write(line)
        more = "more than " if answer["count_relation"] == "gte" else ""
        count, took = f"{more}{answer['count']:,}", answer["took_ms"]
        self.stdout.write(f"{len(results)} of {count} documents in {took} ms, query {answer['query_id']}")


def _notice_line(notice: Any) -> str:
    """A notice as a line for people."""
    suggestion = notice["suggestion"]
    hint = "" if suggestion is None else f"; perhaps you mean: {suggestion or '(nothing)'}"
    return printable(f"notice: {notice['message']} (at character {notice['position'] + 1}){hint}")


def _size(argument: str) -> int:
    if not argument.isdecimal() or int(argument) > MAX_SIZE:
        raise ArgumentTypeError(f"must be a whole number from 0 to {MAX_SIZE:,}")
    return int(argument)


def _member(document: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
