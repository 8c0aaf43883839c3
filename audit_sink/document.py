"""The finished document of an event, and the lines of a bulk body that create it."""

from typing import Any

import orjson

from audit_sink.daily_index import daily_index

_NS_PER_MS = 1_000_000
_SUCCESSES = frozenset({"query.executed", "auth.succeeded"})


def document(event: dict[str, Any], partition: int, offset: int) -> dict[str, Any]:
    """Make an event's document: ECS field names (https://www.elastic.co/docs/reference/ecs), ours under ``sluice``.

    Args:
        event: a valid event, as ``audit_sink.event.decode`` gives it.
        partition: where the event's record is in the topic; so an auditor finds the original.
        offset: likewise.
    """
    data, metadata = event["data"], event["metadata"]
    action, took_ms, error = event["event_type"], data["took_ms"], data["error"]
    finished = {
        "@timestamp": event["timestamp"],
        "event": {
            "id": event["event_id"],
            "action": action,
            "outcome": "success" if action in _SUCCESSES else "failure",
            "duration": None if took_ms is None else took_ms * _NS_PER_MS,
        },
        "user": {"name": event["user_id"]},
        "source": {"ip": metadata["client_ip"]},
        "user_agent": {"original": metadata["user_agent"]},
        "http": {"request": {"id": metadata["request_id"]}, "response": {"status_code": data["status"]}},
        "trace": {"id": metadata["trace_id"]},
        "sluice": {
            "query": data["query"],
            "index": data["index"],
            "hits": data["hits"],
            "dsl": data["dsl"],
            "kafka": {"partition": partition, "offset": offset},
        },
    }
    if error is not None:
        finished["error"] = error
    return finished


def bulk_lines(event: dict[str, Any], partition: int, offset: int, timestamp_ms: int, index_prefix: str) -> bytes:
    """Make the two lines that create an event's document in a bulk body; ``_id`` is the event's id.

    Args:
        event: a valid event, as ``audit_sink.event.decode`` gives it.
        partition: of the event's record.
        offset: of the event's record.
        timestamp_ms: of the event's record, milliseconds since 1970.
        index_prefix: what the index's name starts with.
    """
    index = daily_index(index_prefix, event["timestamp"], timestamp_ms)
    action = b'{"create":{"_index":"%b","_id":"%b"}}\n' % (index.encode(), event["event_id"].encode())
    finished = document(event, partition, offset)
    try:
        return action + orjson.dumps(finished, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # JSON may be read deeper than it may be written; the producer marks it the same way
        finished["sluice"]["dsl"] = {"truncated": True, "bytes": None}
        return action + orjson.dumps(finished, option=orjson.OPT_APPEND_NEWLINE)
