"""Command line of ``python -m elastic``: ``bootstrap`` and ``secure`` a cluster, ``prune`` and ``erase`` audit logs."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from elasticsearch import ApiError, Elasticsearch, TransportError
from elasticsearch.helpers import ScanError

from contracts.query_event.command import CommandNotRecorded, record_command
from elastic.arguments import reason, user_name
from elastic.bootstrap import KEEP_DAYS, bootstrap
from elastic.client import connect
from elastic.erase import ErasureIncomplete, Person, erase, find
from elastic.retention import prune
from elastic.security import secure
from elastic.settings import ElasticsearchSettings
from kit.settings import ConfigurationError

_MAX_DAYS = 36_500
_MAX_SHARDS = 1_024
"""As many as Elasticsearch allows an index."""


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least:,} to {most:,}")
        return int(text)

    return read


def _user(text: str) -> Person:
    return Person("user.name", user_name(text))


def _address(text: str) -> Person:
    try:
        return Person("source.ip", str(ip_address(text)))
    except ValueError:
        raise argparse.ArgumentTypeError("must be an IPv4 or IPv6 address") from None


def _record(change: str) -> None:
    record_command("elastic", change, "nothing was changed")


def _erase(client: Elasticsearch, person: Person, why: str | None) -> None:
    if why is not None:
        print(f"deleted {erase(client, person, why, _record)} documents")
        return
    found = find(client, person)
    for index, count in found.items():
        print(f"{index}  {count}")
    print(f"found {sum(found.values())} documents in {len(found)} indices; --delete REASON deletes them")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the result is the process's exit status: 0 done, 1 a server failed, 2 bad settings."""
    parser = argparse.ArgumentParser(prog="python -m elastic", description="Prepare Elasticsearch for Sluice.")
    commands = parser.add_subparsers(dest="command", required=True)
    preparing = commands.add_parser("bootstrap", help="install the index templates, and how long audit logs live")
    preparing.add_argument(
        "--keep-days", type=_number(1, _MAX_DAYS), default=KEEP_DAYS, metavar="N", help="default: %(default)s"
    )
    preparing.add_argument(
        "--shards",
        type=_number(1, _MAX_SHARDS),
        default=1,
        metavar="N",
        help="primary shards of a new daily index; default: %(default)s",
    )
    securing = commands.add_parser("secure", help="give each service its role and its user; needs security switched on")
    securing.add_argument(
        "--passwords", type=Path, required=True, metavar="FOLDER", help="a file for each service, with its password"
    )
    pruning = commands.add_parser("prune", help="delete the audit logs of days before the last N; for a daily job")
    pruning.add_argument("--keep-days", type=_number(1, _MAX_DAYS), required=True, metavar="N")
    erasing = commands.add_parser("erase", help="count one person's audit logs, or delete them")
    whose = erasing.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", dest="person", type=_user, metavar="NAME", help="what this user did")
    whose.add_argument("--address", dest="person", type=_address, metavar="IP", help="what came from this address")
    erasing.add_argument(
        "--delete", type=reason, metavar="REASON", help="delete them, for this reason, which must not name the person"
    )
    chosen = parser.parse_args(arguments)
    try:
        with connect(ElasticsearchSettings.load(), request_timeout=30.0) as client:
            match chosen.command:
                case "bootstrap":
                    print(bootstrap(client, chosen.keep_days, chosen.shards))
                case "secure":
                    print(*secure(client, chosen.passwords), sep="\n")
                case "prune":
                    pruned = prune(client, chosen.keep_days, datetime.now(UTC).date(), _record)
                    print(f"deleted {len(pruned)} indices" + (f": {', '.join(pruned)}" if pruned else ""))
                case "erase":
                    _erase(client, chosen.person, chosen.delete)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except (ErasureIncomplete, CommandNotRecorded) as error:
        print(error, file=sys.stderr)
        return 1
    except (ApiError, TransportError, ScanError) as error:
        print(f"Elasticsearch: {error}", file=sys.stderr)
        return 1
    return 0
