"""Reading what one has written: a search that waits until the index has a change.

A write is answered with a token, which is the id of its change (an import's that of its last). A search that sends it
back waits until the change is published and everything that was published by then is indexed, in all partitions: an
import's changes are in several. Who waits at the same time asks once for all: for the relay, for the
progress, and for the refresh.
"""

import re
import time
import uuid

from rest_framework.request import Request

from gateway.http.coalesced import Coalesced, CoalescedByKey
from gateway.http.deadline import time_left
from gateway.http.problems import Code, Problem, Unavailable, malformed
from gateway.inventory import progress
from gateway.inventory.models import Change, RelayState
from gateway.search.elasticsearch import perform

TOKEN = "X-Consistency-Token"
_TOKEN_KEY = f"HTTP_{TOKEN.upper().replace('-', '_')}"
WAIT_SECONDS = 2
MAX_WAIT_SECONDS = 10

_POLL_SECONDS = 0.01
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,9})(?=$|[,;\s])")

_Positions = dict[int, int]


def wait_for_change(request: Request, index: str) -> None:
    """Wait until an index has the change whose token a search brings, if it brings one.

    Args:
        request: a known caller's, who may search the index.
        index: the alias that is searched.

    Raises:
        Problem: 400, the token is not a change's; 503, the index has it too late.
    """
    # Every search passes here, and Django makes its view of the headers anew for each request.
    token = request.META.get(_TOKEN_KEY)
    if token is None:
        return
    change_id, seconds = _read_token(token), read_wait(request.headers.get("Prefer", ""))
    until = time.monotonic() + time_left(seconds)
    while (feed := _feed(change_id)) is None:
        _pause(until, seconds)
    while (published := _published(feed)) is None:
        _pause(until, seconds)
    topic_id, positions = published
    while not progress.covers(_progress(topic_id, tuple(sorted(positions))), positions):
        _pause(until, seconds)
    _refresh(index)


def read_wait(prefer: str) -> int:
    """The seconds of ``Prefer: wait`` (RFC 7240, section 4.3), within their limit."""
    found = _WAIT.search(prefer)
    return WAIT_SECONDS if found is None else min(int(found[1]), MAX_WAIT_SECONDS)


def _read_token(token: str) -> uuid.UUID:
    try:
        return uuid.UUID(token)
    except ValueError:
        raise _unknown_token() from None


def _unknown_token() -> Problem:
    return malformed(f"{TOKEN}: There is no such change; send the token of a write's answer as it is, or leave it out.")


def _feed(change_id: uuid.UUID) -> int | None:
    """The number of a change; None until the relay has given it one."""
    change = Change.objects.filter(change_id=change_id).values_list("feed", flat=True)
    if not change:
        raise _unknown_token()
    return change[0]


_state = Coalesced(lambda: RelayState.objects.filter(pk=1).values_list("last_feed", "topic_id", "positions").first())


def _published(feed: int) -> tuple[str, _Positions] | None:
    """The topic's id and the ends of what is published, once the change of a number is among it; None until then."""
    state = _state()
    # Without a topic the relay has not looked at it yet, or all indices are made again, and it looks anew.
    if state is None or state[0] < feed or not state[1]:
        return None
    return state[1], {int(partition): offset for partition, offset in state[2].items()}


def _ask_progress(topic_id: str, partitions: tuple[int, ...]) -> _Positions:
    try:
        return progress.read(perform("POST", progress.SEARCH, progress.request(topic_id, list(partitions))))
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        # The indexer has not written anything yet.
        return {}


_progress = CoalescedByKey(_ask_progress)
_refresh = CoalescedByKey(lambda index: perform("POST", f"/{index}/_refresh"))


def _pause(until: float, seconds: float) -> None:
    if time.monotonic() + _POLL_SECONDS > until:
        raise Unavailable(
            Code.INDEX_BEHIND,
            f"The index does not have your change within {seconds:g} s; try again, wait longer (Prefer: wait=10 at "
            f"most), or leave {TOKEN} out.",
        )
    time.sleep(_POLL_SECONDS)
