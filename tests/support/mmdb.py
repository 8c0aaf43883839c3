"""MMDB files with the entries of a test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet


def write_mmdb(path: Path, entries: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write a file.

    Args:
        path: where.
        entries: by network, such as ``192.0.2.0/24``.
    """
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    for network, entry in entries.items():
        writer.insert_network(IPSet([network]), dict(entry))
    whole = path.with_suffix(".new")
    writer.to_db_file(str(whole))
    # As an operator's job does it, who does not cut a file that is read.
    whole.replace(path)
    return path
