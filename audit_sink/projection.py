"""Projection of the query events: each becomes a document of its day's ``query-logs-*`` index."""

import logging

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from audit_sink.document import bulk_lines
from contracts.invalid import InvalidRecord
from contracts.query_event.reader import decode
from elastic.exchange import ElasticsearchExchange
from indexing.projection import Place, Unreadable
from indexing.readiness import unready

logger = logging.getLogger(__name__)


class AuditProjection:
    """Creates a document for each event; its ``_id`` is the event's id, so that repeating it changes nothing.

    Args:
        index_prefix: what the daily indices' names start with.
    """

    name = "audit-sink"

    def __init__(self, index_prefix: str) -> None:
        self._index_prefix = index_prefix
        self._has_arrival_times = True

    def operations(self, record: Message, place: Place) -> tuple[bytes, ...]:
        """Make the one operation that creates the event's document.

        Raises:
            Unreadable: the record is not an event.
        """
        if self._has_arrival_times and record.timestamp()[0] != TIMESTAMP_LOG_APPEND_TIME:
            self._has_arrival_times = False
            logger.error("the topic takes producers' word for the time: set its message.timestamp.type=LogAppendTime")
        try:
            return (bulk_lines(decode(record.value()), place, self._index_prefix),)
        except InvalidRecord as error:
            raise Unreadable(error.reason, error.detail) from None

    def unready(self, elasticsearch: ElasticsearchExchange) -> str | None:
        """Say what keeps documents out, or None: a daily index must get the strict mapping from its template."""
        return unready(elasticsearch, f"{self._index_prefix}2000.01.01")
