"""Enrichment of rows that were written without it, by what is known now.

A file of networks may have been missing when events came, or the inventory away. What a row has stays as it is, since
it was known at the time; only columns that are empty are filled.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from lake.compaction import COUNT, ORDER, check, time_name
from lake.enrichment.assets import Assets
from lake.enrichment.networks import Networks
from lake.rewriting import Partition, Rewriting, Rows
from lake.tables import EVENTS, Lake

_ADDRESSES = 5_000
"""As many as are asked for at once."""

_KNOWN = pa.schema(
    [(name, pa.string()) for name in ("client_ip", "country", "organisation", "asset_id", "asset_owner")]
)
_LACKING = "(country IS NULL OR organisation IS NULL OR asset_id IS NULL)"
_FILLED = """
FROM rows JOIN known ON rows.client_ip = known.client_ip
WHERE rows.country IS NULL AND known.country IS NOT NULL
    OR rows.organisation IS NULL AND known.organisation IS NOT NULL
    OR rows.asset_id IS NULL AND known.asset_id IS NOT NULL
"""
_ENRICHED = f"""
SELECT rows.* REPLACE (
    coalesce(rows.country, known.country) AS country,
    coalesce(rows.organisation, known.organisation) AS organisation,
    CASE WHEN rows.asset_id IS NULL THEN known.asset_owner ELSE rows.asset_owner END AS asset_owner,
    coalesce(rows.asset_id, known.asset_id) AS asset_id
)
FROM rows LEFT JOIN known ON rows.client_ip = known.client_ip
ORDER BY {", ".join(f"rows.{column}" for column in ORDER.split(", "))}
"""


@dataclass(frozen=True, slots=True)
class EnrichedHour:
    """An hour, and how many of its rows have more than before."""

    name: str
    rows: int


def enrich(lake: Lake, days: Collection[date], networks: Networks, assets: Assets) -> Iterator[EnrichedHour]:
    """Fill the empty columns of days, each hour by a commit of its own; repeatable.

    Args:
        lake: the tables.
        days: those of the events, UTC.
        networks: knows where addresses belong.
        assets: knows what has which address.

    Yields:
        Each hour in which something was filled.

    Raises:
        LakeError: another command has rewritten files meanwhile; that hour stays as it is.
        deltalake.exceptions.DeltaError: the table cannot be read or written.
        OSError: likewise.
    """
    for partition in sorted(Rewriting(lake, EVENTS).files):
        if date.fromisoformat(dict(partition)["day"]) in days:
            filled = _enrich_hour(lake, partition, networks, assets)
            if filled:
                yield EnrichedHour(time_name(partition), filled)


def _enrich_hour(lake: Lake, partition: Partition, networks: Networks, assets: Assets) -> int:
    with Rewriting(lake, EVENTS) as rewriting:
        files = rewriting.files.get(partition, [])
        if not files:
            return 0
        with rewriting.rows(files) as rows:
            rows.connection.register("known", _known(rows, networks, assets))
            [filled] = rows.one(f"SELECT count(*) {_FILLED}")
            if not filled:
                return 0
            expected = rows.one(COUNT)
            new = rewriting.replace(partition, files, rows, _ENRICHED)
        check(rewriting, new, expected, COUNT, partition)
        rewriting.commit()
    return int(filled)


def _known(rows: Rows, networks: Networks, assets: Assets) -> pa.Table:
    """Known facts of the addresses of rows that lack something."""
    lacking = f"SELECT DISTINCT client_ip FROM rows WHERE client_ip IS NOT NULL AND {_LACKING}"
    addresses = [address for (address,) in rows.all(lacking)]
    known = []
    for begin in range(0, len(addresses), _ADDRESSES):
        some = addresses[begin : begin + _ADDRESSES]
        found = assets.of(some)
        for address in some:
            origin, asset = networks.of(address), found.get(address)
            known.append(
                {
                    "client_ip": address,
                    "country": origin.country,
                    "organisation": origin.organisation,
                    "asset_id": asset and asset.id,
                    "asset_owner": asset and asset.owner,
                }
            )
    return pa.Table.from_pylist(known, _KNOWN)
