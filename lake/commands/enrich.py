"""`enrich`: fill the networks and assets of events that were written without them."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from lake import lineage
from lake.day_arguments import add_days, named_days
from lake.enrichment.assets import Assets
from lake.enrichment.backfill import enrich
from lake.enrichment.networks import Networks
from lake.errors import LakeError
from lake.maintenance import alone
from lake.metrics import enrichment_failures
from lake.serve.settings import ServeSettings
from lake.tables import EVENTS, Lake


def main(arguments: Sequence[str]) -> int:
    """Fill what the events of named days lack; prints each hour."""
    parser = argparse.ArgumentParser(
        prog="python -m lake enrich",
        description="Fill countries, organisations and assets of the events of days that were written without them, "
        "by the files of LAKE_MMDB and the inventory as it is now. What an event has stays.",
    )
    add_days(parser, "by default that of --to")
    options = parser.parse_args(arguments)
    last = options.last or datetime.now(UTC).date()
    days = frozenset(named_days(parser, options.first or last, last))
    settings = ServeSettings.load()
    elasticsearch = ElasticsearchExchange.to(ElasticsearchSettings.load(), connections=1)
    before = enrichment_failures()
    networks, assets = Networks(settings.mmdb), Assets(elasticsearch, settings)
    total = 0
    with alone(settings), lineage.run(settings, "enrich", [EVENTS], [EVENTS]):
        for hour in enrich(Lake(settings), days, networks, assets):
            total += hour.rows
            print(f"{hour.name}  {hour.rows} rows", flush=True)
    print(f"enriched {total} rows")
    if failed := [source for source, count in enrichment_failures().items() if count > before[source]]:
        raise LakeError(f"not all could be asked: {', '.join(failed)}; see the lines above, and run this again")
    return 0
