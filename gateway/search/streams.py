"""Stream of a whole result set: newline-delimited JSON, a document a line, read from a point in time.

https://github.com/ndjson/ndjson-spec

Why: a stream has answered 200 before anything can fail, and the server ends a truncated body like a complete one. So a
failure is the last line, ``{"problem": {…}}``, with the response's own ``query_id``, which no document can contain. A
line at the end of every stream would burden every reader, few clients read HTTP trailers, and the server cannot break a
connection. A stream asks nginx not to buffer it (``X-Accel-Buffering``): ``proxy_buffering off`` would apply to every
search. Streams have a limit of their own, as each holds a thread.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from gateway.audit.draft import EventDraft
from gateway.http.concurrency_limit import ConcurrencyLimit
from gateway.http.correlation import correlated, current_correlation
from gateway.http.metrics import PROBLEMS
from gateway.http.problems import as_problem, problem_object
from gateway.identity.models import User
from gateway.search.elasticsearch import TooLarge
from gateway.search.points_in_time import Slice, close_point_in_time, open_point_in_time, read_point_in_time
from gateway.search.request import SearchPlan

MEDIA_TYPE = "application/x-ndjson"

MAX_STREAMS = 4
"""Streams at once in a process: each holds one of its threads for as long as its client reads."""
MAX_STREAMS_OF_USER = 2

_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_FIRST_PAGE = 100
_MAX_PAGE = 1_000
_PAGE_BYTES = 1024 * 1024
"""Length that pages should have: short documents come many at a time, long ones few, so that memory stays the same."""


_streams = ConcurrencyLimit(
    MAX_STREAMS,
    MAX_STREAMS_OF_USER,
    throttled=f"You are reading {MAX_STREAMS_OF_USER} streams already; wait for one to end.",
    overloaded="The gateway has as many streams as it can send at once; try again.",
)


class DocumentStream:  # pylint: disable=too-many-instance-attributes  # what a page takes, and where it stands
    """The documents that match, as parts of a response's body; to be closed, whether read to the end or not.

    A failure after the first part ends the stream with a line of its own, ``{"problem": {...}}``, whose ``query_id`` no
    document can know.

    Args:
        draft: gets the query with the moment of the start for its ``now``.
        plan: the search.
        check_caller: raises a problem when the caller may not read the index any more; called before each page.

    Raises:
        RejectedQuery: the query is too much work.
        Problem: 404, there is no such index; 429, the user reads too many streams already.
        Unavailable: Elasticsearch cannot search, or there are too many streams.
    """

    def __init__(self, user: User, draft: EventDraft, plan: SearchPlan, check_caller: Callable[[], None]) -> None:
        self._user = user
        self._query_id = draft.query_id
        self._plan = plan.at(datetime.now(UTC))
        self._check_caller = check_caller
        # The parts are read after the request's context has ended, and its deadline with it.
        self._correlation = current_correlation()
        draft.dsl = self._plan.dsl
        self._size = _FIRST_PAGE
        self._after: list[Any] | None = None
        self._point_in_time: str | None = None
        _streams.enter(user.pk)
        self._open = True
        try:
            self._point_in_time = open_point_in_time(plan.index)
            # Read before anything is sent: as long as nothing is, a failure has a status of its own.
            self._part = self._read()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        part, self._part = self._part, b""
        if not part and self._after is not None:
            part = self._read_or_say_why()
        if not part:
            raise StopIteration
        return part

    def close(self) -> None:
        """Close the point in time and make room for another stream."""
        if self._open:
            self._open = False
            _streams.leave(self._user.pk)
            if self._point_in_time is not None:
                with correlated(self._correlation):
                    close_point_in_time(self._point_in_time)

    def _read(self) -> bytes:
        found = self._slice()
        self._point_in_time, self._after = found.point_in_time, found.after
        # No string has a line break in it as such, but a document may have been sent with some between its members.
        part = b"".join(b"%s\n" % document.translate(_ONE_LINE) for document in found.page.results)
        if part:
            fitting = _PAGE_BYTES * len(found.page.results) // len(part)
            # Those to come may be longer, so it grows in steps.
            self._size = max(1, min(_MAX_PAGE, 2 * self._size, fitting))
        return part

    def _slice(self) -> Slice:
        """The next documents: fewer than had been thought, where they are so long that their answer is not read."""
        assert self._point_in_time is not None
        while True:
            try:
                return read_point_in_time(self._point_in_time, self._plan, size=self._size, after=self._after)
            except TooLarge:
                if self._size == 1:
                    raise
                self._size //= 2

    def _read_or_say_why(self) -> bytes:
        try:
            with correlated(self._correlation):
                self._check_caller()
                return self._read()
        # Whatever it is, nobody else can tell the client.
        except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
            self._after = None
            problem = as_problem(error)
            PROBLEMS.labels(problem.code).inc()
            line = {"problem": problem_object(problem, self._query_id)}
            return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
