"""``python -m gateway search QUERY --user NAME``: a search from the terminal, over HTTP like anybody's."""

import base64
import sys
from argparse import ArgumentParser
from http import HTTPStatus
from typing import Any

import orjson
import urllib3
from django.core.management.base import BaseCommand
from urllib3.exceptions import HTTPError, LocationValueError

from gateway.auth import SCHEME
from gateway.table import escape, table

_REJECTED = 2
_FAILED = 1


class Command(BaseCommand):
    """Asks a running gateway and prints the answer as a table, or as it came."""

    help = "Search through a running gateway."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the query and what goes with it."""
        parser.add_argument("query", metavar="QUERY", help='such as "Hostname = octoxlabs*"')
        parser.add_argument("--user", required=True, help="the known user to search as")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="the gateway's address")
        parser.add_argument("--index", help="the index to search")
        parser.add_argument("--size", type=int, default=20, help="documents to print")
        parser.add_argument("--fields", help="members of a document to print, comma separated")
        parser.add_argument("--sort", help='fields to sort by, comma separated, "-" before one for descending order')
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
        if options["json"]:
            self.stdout.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
            return
        results = answer["results"]
        columns = body.get("fields") or list(dict.fromkeys(name for result in results for name in result))
        for line in table(columns, [[_member(result, name) for name in columns] for result in results]):
            self.stdout.write(line)
        more = "more than " if answer["count_relation"] == "gte" else ""
        count, took = f"{more}{answer['count']:,}", answer["took_ms"]
        self.stdout.write(f"{len(results)} of {count} documents in {took} ms, query {answer['query_id']}")


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
    return answer


def _explain(problem: Any) -> str:
    if not isinstance(problem, dict):
        return "the answer is not a gateway's"
    picture = str(problem.get("caret", "")).splitlines()
    return "\n".join(escape(line) for line in [*picture, str(problem.get("detail"))])


def _member(document: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
