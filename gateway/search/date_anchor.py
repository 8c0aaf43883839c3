"""Date math held to one moment, so that ``now`` is the same on every page of a snapshot; pure."""

from datetime import datetime
from typing import Any

_BOUNDS = ("gt", "gte", "lt", "lte")


def anchored(dsl: Any, at: datetime) -> Any:
    """Write date math that begins with ``now`` to begin with a moment (``2026-11-21T01:02:03.456Z||-7d/d``).

    See https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options#date-math.

    Args:
        dsl: Elasticsearch Query DSL of the translator's.
        at: the moment, in UTC.

    Returns:
        the same query with the moment in it.
    """
    if isinstance(dsl, list):
        return [anchored(part, at) for part in dsl]
    if not isinstance(dsl, dict):
        return dsl
    return {
        name: {field: _range(bounds, at) for field, bounds in part.items()}
        if name == "range" and isinstance(part, dict)
        else anchored(part, at)
        for name, part in dsl.items()
    }


def _range(bounds: Any, at: datetime) -> Any:
    # Ranges over dates, and no others, say how their dates are written.
    if not isinstance(bounds, dict) or "format" not in bounds:
        return bounds
    moment = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z||"
    return {
        name: moment + bound.removeprefix("now")
        if name in _BOUNDS and isinstance(bound, str) and bound.startswith("now")
        else bound
        for name, bound in bounds.items()
    }
