"""Events of the lake's marts, and their settings."""

from datetime import UTC, date, datetime, timedelta

from pydantic import SecretStr

from contracts.query_event.event import AuditEvent, EventError, EventType
from lake.marts.settings import MartSettings
from lake.tables import Lake
from tests.support.lake import USER_KEY
from tests.support.query_event import event

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


def asked(  # pylint: disable=too-many-arguments  # what events differ in
    hour: int,
    *,
    user: str | None = "ann",
    query: str = "Hostname = web01",
    took_ms: int | None = 1,
    day: date = YESTERDAY,
    event_type: EventType = EventType.QUERY_EXECUTED,
    index: str | None = "devices",
    code: str | None = None,
) -> AuditEvent:
    """An event of an hour of a day, which found 10 rows."""
    made = event(0, datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC), query)
    made.user_id = user
    made.event_type = event_type
    made.data.took_ms, made.data.hits, made.data.index = took_ms, 10, index
    made.data.error = None if code is None else EventError(code, "no")
    made.data.status = 200 if code is None else 403
    return made


def mart_settings(lake: Lake, **others: object) -> MartSettings:
    """The lake's settings, and others."""
    return MartSettings.model_validate({"url": lake.settings.url, "user_key": SecretStr(USER_KEY)} | others)
