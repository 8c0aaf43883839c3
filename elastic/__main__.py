"""``python -m elastic bootstrap`` installs the index templates, ``python -m elastic seed`` the demo inventory."""

import argparse
import sys

from elasticsearch import ApiError, TransportError
from elasticsearch.helpers import BulkIndexError

from elastic.bootstrap import bootstrap
from elastic.client import connect
from elastic.seed import seed
from elastic.settings import ConfigurationError, ElasticsearchSettings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the result is the process's exit status: 0 done, 1 Elasticsearch failed, 2 bad settings."""
    parser = argparse.ArgumentParser(prog="python -m elastic", description="Prepare Elasticsearch for Sluice.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("bootstrap", help="install the index templates")
    commands.add_parser("seed", help="write the demo inventory into the index devices")
    chosen = parser.parse_args(arguments)
    try:
        with connect(ElasticsearchSettings.load(), request_timeout=30.0) as client:
            if chosen.command == "bootstrap":
                print("installed index templates: " + ", ".join(bootstrap(client)))
            else:
                print(f"wrote {seed(client)} devices")
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except (ApiError, TransportError, BulkIndexError) as error:
        print(f"Elasticsearch: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
