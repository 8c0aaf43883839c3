"""``python -m elastic`` prepares a cluster (``bootstrap``, ``seed``) and deletes old audit logs (``prune``)."""

import argparse
import sys
from datetime import UTC, datetime

from elasticsearch import ApiError, TransportError
from elasticsearch.helpers import BulkIndexError

from elastic.bootstrap import KEEP_DAYS, bootstrap
from elastic.client import connect
from elastic.prune import prune
from elastic.seed import seed
from elastic.settings import ConfigurationError, ElasticsearchSettings

_MAX_DAYS = 36_500


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= _MAX_DAYS:
        raise ValueError
    return days


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the result is the process's exit status: 0 done, 1 Elasticsearch failed, 2 bad settings."""
    parser = argparse.ArgumentParser(prog="python -m elastic", description="Prepare Elasticsearch for Sluice.")
    commands = parser.add_subparsers(dest="command", required=True)
    preparing = commands.add_parser("bootstrap", help="install the index templates, and how long audit logs live")
    preparing.add_argument("--keep-days", type=_days, default=KEEP_DAYS, metavar="N", help="default: %(default)s")
    commands.add_parser("seed", help="write the demo inventory into the index devices")
    pruning = commands.add_parser("prune", help="delete the audit logs of days before the last N; for a daily job")
    pruning.add_argument("--keep-days", type=_days, required=True, metavar="N")
    chosen = parser.parse_args(arguments)
    try:
        with connect(ElasticsearchSettings.load(), request_timeout=30.0) as client:
            match chosen.command:
                case "bootstrap":
                    print(bootstrap(client, chosen.keep_days))
                case "seed":
                    print(f"wrote {seed(client)} devices")
                case "prune":
                    pruned = prune(client, chosen.keep_days, datetime.now(UTC).date())
                    print(f"deleted {len(pruned)} indices" + (f": {', '.join(pruned)}" if pruned else ""))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except (ApiError, TransportError, BulkIndexError) as error:
        print(f"Elasticsearch: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
