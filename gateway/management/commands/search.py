"""``python -m gateway search QUERY --user NAME``: a search from the terminal, over HTTP like anybody's."""

import base64
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from http import HTTPStatus
from typing import Any

import orjson
import urllib3
from django.core.management.base import BaseCommand
from urllib3.exceptions import HTTPError, LocationValueError

from gateway.auth import SCHEME
from gateway.serializers import MAX_SIZE
from gateway.table import escape, table

_REJECTED = 2
_FAILED = 1
_NO_GATEWAY = "the answer is not a gateway's"
_MEMBERS = {"query_id", "count", "count_relation", "took_ms", "results"}


class Command(BaseCommand):
    """Asks a running gateway and prints the answer as a table, or as it came."""

    help = "Search through a running gateway."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the query and what goes with it."""
        parser.add_argument("query", metavar="QUERY", type=_text, help='such as "Hostname = octoxlabs*"')
        parser.add_argument("--user", required=True, type=_text, help="the known user to search as")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="the gateway's address")
        parser.add_argument("--index", type=_text, help="the index to search")
        parser.add_argument("--size", type=_size, default=20, help=f"documents to print, 0 to {MAX_SIZE:,}")
        parser.add_argument("--fields", type=_text, help="members of a document to print, comma separated")
        parser.add_argument(
            "--sort", type=_text, help='fields to sort by, comma separated, "-" before one for descending order'
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
        try:
            answer = _post(options["url"].rstrip("/") + "/search", options["user"], body)
        except _NoAnswer as error:
            # Not a CommandError, whose prefix would push the caret out of line.
            self.stderr.write(str(error))
            sys.exit(error.status)
        try:
            self._print(answer, body.get("fields"), as_json=options["json"])
            sys.stdout.flush()
        except OSError as error:
            # What is left cannot be written either when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if not isinstance(error, BrokenPipeError):
                self.stderr.write(f"standard output: {error.strerror}")
            sys.exit(_FAILED)

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


def _text(argument: str) -> str:
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("is not UTF-8") from None
    return argument


def _size(argument: str) -> int:
    size = int(argument)
    if not 0 <= size <= MAX_SIZE:
        raise ArgumentTypeError(f"must be 0 to {MAX_SIZE:,}")
    return size


class _NoAnswer(Exception):
    """There is a reason instead of an answer, and the exit status that goes with it."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


def _post(url: str, user: str, body: dict[str, Any]) -> Any:
    token = base64.b64encode(user.encode()).decode()
    headers = {"Authorization": f"{SCHEME} {token}", "Content-Type": "application/json"}
    try:
        response = urllib3.request(
            "POST", url, body=orjson.dumps(body), headers=headers, retries=False, redirect=False, timeout=30.0
        )
        answer = orjson.loads(response.data)
    except (HTTPError, LocationValueError, orjson.JSONDecodeError) as error:
        raise _NoAnswer(f"no answer from {url}: {error.__class__.__name__}", _FAILED) from None
    if response.status != HTTPStatus.OK:
        refused = 400 <= response.status < 500
        raise _NoAnswer(_explain(answer), _REJECTED if refused else _FAILED)
    if not isinstance(answer, dict) or not answer.keys() >= _MEMBERS:
        raise _NoAnswer(_NO_GATEWAY, _FAILED)
    return answer


def _explain(problem: Any) -> str:
    if not isinstance(problem, dict) or not isinstance(problem.get("detail"), str):
        return _NO_GATEWAY
    picture = str(problem.get("caret", "")).splitlines()
    return "\n".join(escape(line) for line in [*picture, problem["detail"]])


def _member(document: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
