"""Progress of indexing without servers."""

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from inventory_index.progress import ProgressWriter
from tests.support.waiting import eventually


class _Cluster:  # pylint: disable=too-few-public-methods  # it is asked
    """Elasticsearch, which keeps the offsets by partition until it is set up anew."""

    def __init__(self) -> None:
        self.offsets: dict[int, int] = {}

    def ask(self, *_: Any, body: bytes, **__: Any) -> Any:
        """Keep what is written."""
        documents = [orjson.loads(line) for line in body.splitlines()[1::2]]
        self.offsets |= {each["partition"]: each["offset"] for each in documents}
        items = [{"index": {"status": 201}} for _ in documents]
        return SimpleNamespace(status=200, body=orjson.dumps({"errors": False, "items": items}))


def test_the_progress_of_quiet_partitions_is_there_again_in_a_cluster_that_was_set_up_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inventory_index.progress._WHOLE_SECONDS", 0.05)
    cluster = _Cluster()
    writer = ProgressWriter(cluster)  # type: ignore[arg-type]  # it is asked
    writer.settled("topic", {0: 5, 1: 7})
    eventually(lambda: cluster.offsets == {0: 5, 1: 7}, "the progress is written")

    cluster.offsets = {}
    writer.settled("topic", {0: 6, 1: 7})
    eventually(lambda: cluster.offsets == {0: 6, 1: 7}, "the progress is written again")
    cluster.offsets = {}
    eventually(lambda: cluster.offsets == {0: 6, 1: 7}, "and again where nothing moves")
