"""Events as a busy installation has them, for the benchmarks of the lake."""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.query_event.event import (
    NO_DSL,
    SCHEMA_VERSION,
    AuditEvent,
    EventData,
    EventError,
    EventMetadata,
    EventType,
    new_event_id,
    rfc3339,
    write_dsl,
)

USERS = 300
_AGENTS = ("curl/8.14.1", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "sluice-cli/0.1.0")
_SITES = ("ankara", "austin", "berlin", "izmir", "london", "madrid", "oslo", "paris")


def events(count: int, since: datetime, span: timedelta) -> Iterator[AuditEvent]:
    """Make searches of 300 users, one in thirty of which is rejected, with ids as the gateway makes them.

    Args:
        count: how many.
        since: the time of the first.
        span: the time from the first to the last.
    """
    dice = random.Random(1)
    for number in range(count):
        user = min(dice.randrange(USERS), dice.randrange(USERS))
        query, dsl = _query(dice)
        bad = dice.randrange(30) == 0
        yield AuditEvent(
            new_event_id(),
            EventType.QUERY_REJECTED if bad else EventType.QUERY_EXECUTED,
            SCHEMA_VERSION,
            rfc3339((since + span * number / count).astimezone(UTC)),
            f"user{user:03}",
            EventData(
                query,
                "devices",
                NO_DSL if bad else write_dsl(dsl),
                None if bad else int(dice.expovariate(0.02)),
                None if bad else 1 + int(dice.expovariate(0.1)),
                400 if bad else 200,
                EventError("unknown_field", 'unknown field "Hostnme"; did you mean "Hostname"?') if bad else None,
            ),
            EventMetadata(
                str(uuid.UUID(int=dice.getrandbits(128), version=4)),
                None,
                f"10.{user % 4}.{user // 4}.{1 + user % 250}",
                _AGENTS[user % 3],
                ("bearer", "session", "api-key")[user % 3],
                "gateway",
                "0.1.0",
            ),
        )


def _query(dice: random.Random) -> tuple[str, dict[str, Any]]:
    number, site = dice.randrange(2_000), dice.choice(_SITES)
    name = {"term": {"Hostname": {"value": f"web{number}"}}}
    place = {"term": {"Site": {"value": site}}}
    return (
        (f"Hostname = web{number}", name),
        (
            f"Site = {site} AND OS.Type = Linux",
            {"bool": {"filter": [place, {"term": {"OS.Type": {"value": "Linux"}}}]}},
        ),
        (f"Ip = 10.{number % 256}.0.0/16", {"term": {"Ip": {"value": f"10.{number % 256}.0.0/16"}}}),
        (f"Hostname = web{number}* AND NOT Site = {site}", {"bool": {"filter": [name], "must_not": [place]}}),
    )[dice.randrange(4)]
