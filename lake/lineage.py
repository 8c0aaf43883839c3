"""Lineage: OpenLineage events of each run of a job, so that a catalogue shows which tables come from which.

https://openlineage.io/docs/spec/object-model; the events are those of version 2-0-2. They have the names of jobs and
tables, and nothing of any row. A catalogue that is away stops no run: that is logged.
"""

import logging
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from kit import __version__
from kit.http_exchange import HttpExchange, NoAnswer
from lake.settings import LakeSettings
from lake.tables import Lake, TableSpec

logger = logging.getLogger(__name__)

_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_PRODUCER = f"urn:sluice:lake:{__version__}"
_NAMESPACE = "sluice"
_FILE = "file://"
_ANSWER_SECONDS = 5.0
_ANSWER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Dataset:
    """Something that a job reads or writes, as https://openlineage.io/docs/spec/naming names it."""

    namespace: str
    name: str


def dataset(lake: Lake, spec: TableSpec) -> Dataset:
    """The dataset that a table is."""
    url = lake.url(spec)
    if lake.settings.is_bucket:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return Dataset(f"s3://{bucket}", key)
    return Dataset("file", url)


@contextmanager
def run(settings: LakeSettings, job: str, inputs: Iterable[TableSpec], outputs: Iterable[TableSpec]) -> Iterator[None]:
    """Tell that a job's run starts; and once the context ends, whether it is complete, was aborted or has failed.

    Args:
        settings: the lake, and where its lineage goes.
        job: its name, that of the command.
        inputs: the tables that it reads.
        outputs: those that it writes.
    """
    if settings.lineage_url is None:
        yield
        return
    lake = Lake(settings)
    event = {
        "producer": _PRODUCER,
        "schemaURL": _SCHEMA,
        "run": {"runId": str(uuid.uuid4())},
        "job": {"namespace": _NAMESPACE, "name": f"lake.{job}"},
        "inputs": [asdict(dataset(lake, spec)) for spec in inputs],
        "outputs": [asdict(dataset(lake, spec)) for spec in outputs],
    }
    _send(settings.lineage_url, event, "START")
    end = "ABORT"
    try:
        yield
        end = "COMPLETE"
    except Exception:
        end = "FAIL"
        raise
    finally:
        _send(settings.lineage_url, event, end)


def _send(url: str, event: dict[str, Any], kind: str) -> None:
    event |= {"eventType": kind, "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds")}
    content = orjson.dumps(event)
    try:
        if url.startswith(_FILE):
            _append(Path(url.removeprefix(_FILE)), content + b"\n")
        else:
            _post(url, content)
    except (OSError, NoAnswer) as error:
        logger.error("%s of %s is not in the lineage, LAKE_LINEAGE_URL: %s", kind, event["job"]["name"], error)


def _append(path: Path, line: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        # At once, as several jobs may write.
        os.write(file, line)
    finally:
        os.close(file)


def _post(url: str, content: bytes) -> None:
    exchange = HttpExchange(url, connections=1, limit=_ANSWER_BYTES, headers={"content-type": "application/json"})
    try:
        answer = exchange.ask("POST", "", timeout=_ANSWER_SECONDS, body=content)
    finally:
        exchange.close()
    if not 200 <= answer.status < 300:
        raise OSError(f"HTTP {answer.status}")
