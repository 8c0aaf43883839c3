"""``now`` becomes a moment, in ranges over dates and nowhere else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.search.date_anchor import anchored

AT = datetime(2026, 11, 21, 1, 2, 3, 456_789, tzinfo=UTC)
MOMENT = "2026-11-21T01:02:03.456Z||"
FORMAT = "strict_date_optional_time"


def _seen(**bounds: str) -> dict[str, Any]:
    return {"range": {"LastSeen": {**bounds, "format": FORMAT}}}


@pytest.mark.parametrize("bound", ["gt", "gte", "lt", "lte"])
def test_now_is_the_moment_in_every_bound(bound: str) -> None:
    assert anchored(_seen(**{bound: "now-7d/d"}), AT) == _seen(**{bound: f"{MOMENT}-7d/d"})


def test_it_is_found_however_deep_it_is() -> None:
    def around(query: dict[str, Any]) -> dict[str, Any]:
        nested = {"nested": {"path": "Scans", "query": {"bool": {"should": [query, {"match_all": {}}]}}}}
        return {"bool": {"filter": [{"term": {"Site": "now"}}], "must_not": [nested]}}

    assert anchored(around(_seen(gte="now")), AT) == around(_seen(gte=MOMENT))


@pytest.mark.parametrize(
    "query",
    [
        _seen(gte="2024-05-03T00:00:00.000Z||-1d"),
        {"range": {"Hostname": {"gte": "now", "lt": "nowhere"}}},
        {"range": {"format": {"gte": "nowhere"}}},
        {"term": {"range": {"value": "now", "case_insensitive": True}}},
        {"term": {"range": "now"}},
        {"terms": {"gte": ["now", "nowhere"]}},
        {"prefix": {"format": "now"}},
        {"match_all": {}},
    ],
)
def test_everything_else_stays_as_it_is(query: dict[str, Any]) -> None:
    assert anchored(query, AT) == query
