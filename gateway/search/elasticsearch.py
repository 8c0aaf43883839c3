"""Elasticsearch's side of a search: the page of documents, and the requests that are sent for it.

Why: all pages of one query name the same ``preference``, a checksum of its DSL, because primary and replica hold equal
hits in different orders. A tie-breaker in the sort needs a point in time or ends the early stop; a preference by user
would send a program's searches to one copy. After a time-out the cluster's health is asked: with an answer the search
was merely slow and does not count for the circuit breaker, or five expensive searches would shut everybody out.
"""

import logging
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal

import orjson
from django.conf import settings
from elastic_transport import ConnectionTimeout, SerializationError, TransportError
from elasticsearch import ApiError
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from elastic.bounded_node import MAX_ANSWER_BYTES, AnswerTooLarge, long_answers
from gateway.http.correlation import current_correlation
from gateway.http.deadline import deadline_passed, time_left
from gateway.http.memory import Part, claim
from gateway.http.metrics import STAGE_SECONDS
from gateway.http.problems import Code, Problem, RejectedQuery, Unanswered, Unavailable
from gateway.search.connections import to_elasticsearch
from gateway.search.request import SearchPlan, SearchRequest

logger = logging.getLogger(__name__)

MAX_RESULT_WINDOW = 10_000
"""How far pages reach, and up to where hits are counted exactly: Elasticsearch's ``index.max_result_window``."""

_JSON = {"accept": "application/json", "content-type": "application/json"}
# Elasticsearch's names of what makes a well-formed query too much work for it.
_TOO_COMPLEX = ("too_complex_to_determinize", "too_many_clauses", "too_many_nested_clauses")
_TIMED_OUT = "search_timeout_exception"
_OUT_OF_MEMORY = "circuit_breaking_exception"
_BUSY = "es_rejected_execution_exception"
_PROBE_SECONDS = 1.0
_MEMORY_SECONDS = 0.5
"""For so long a request that Elasticsearch had no memory for is sent again: what others hold may be given back."""
_MEMORY_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer; ``count`` is exact where ``count_relation`` is "eq", a lower bound where it is "gte".

    ``results`` are the documents as JSON texts; ``next`` is the cursor of the page after it, where a cursor was asked
    for and there is more.
    """

    count: int
    count_relation: Literal["eq", "gte"]
    took_ms: int
    results: list[bytes]
    next: str | None = None


class OutOfMemory(RejectedQuery):
    """Elasticsearch's circuit breakers refuse the memory that a request takes."""

    def __init__(self) -> None:
        super().__init__(
            Code.TOO_COMPLEX,
            "Elasticsearch does not have the memory that this query takes; use fewer or simpler patterns, or ask for "
            "fewer documents at once.",
        )


class TooLarge(RejectedQuery):
    """Elasticsearch's answer is larger than any that is read."""

    def __init__(self) -> None:
        mebibytes = MAX_ANSWER_BYTES // 1024 // 1024
        super().__init__(
            Code.TOO_COMPLEX,
            f"The answer is over {mebibytes} MiB; ask for fewer documents at once, or for fewer fields.",
        )


@STAGE_SECONDS.labels("search").time()
def search(plan: SearchPlan) -> Page:
    """Fetch one page of the documents that match.

    Args:
        plan: the search.

    Raises:
        RejectedQuery: the query is too much work.
        Problem: 404, there is no such index.
        Unavailable: Elasticsearch cannot be reached, or cannot search all of the index.
    """
    request = plan.request
    body = {
        "query": plan.dsl,
        "size": request.size,
        "from": (request.page - 1) * request.size,
        "track_total_hits": count_limit(request),
        "sort": plan.sort or "_doc",
        "_source": plan.source,
        "timeout": time_limit(),
    }
    target = f"/{plan.index}/_search?allow_partial_search_results=false&preference={copy_preference(plan.dsl)}"
    answer = perform("POST", target, body)
    hits = answer["hits"]
    return Page(
        count=hits["total"]["value"],
        count_relation=hits["total"]["relation"],
        took_ms=answer["took"],
        results=[hit["_source"] for hit in hits["hits"]],
    )


def count_limit(request: SearchRequest) -> int | bool:
    """How far hits are counted; True for all."""
    return True if request.exact_count else MAX_RESULT_WINDOW


def time_limit() -> str:
    """How long Elasticsearch may search now, as it is told.

    Raises:
        Unavailable: the request has used up its time.
    """
    return f"{time_left(settings.GATEWAY.search_timeout) * 1000:.0f}ms"


def copy_preference(query: Mapping[str, Any]) -> str:
    """Return the preference that lets Elasticsearch read all pages of a search from the same copies of its shards.

    Documents that the sort leaves equal, or all where there is none, come in the order of their copy, which no two
    share: pages of different ones would repeat some and skip others. Different queries still go to different copies.
    See https://www.elastic.co/docs/reference/elasticsearch/rest-apis/search-shard-routing.
    """
    return f"q{zlib.crc32(orjson.dumps(query)):08x}"


def creation_time(index: str) -> datetime:
    """Find out when an index was made; of an alias, when the first of its indices was.

    Args:
        index: the index or alias; part of a path, so the caller has checked it.

    Raises:
        Problem: 404, there is no such index.
        Unavailable: Elasticsearch cannot be reached.
    """
    answer = perform("GET", f"/{index}/_settings/index.creation_date?flat_settings=true")
    milliseconds = min(int(described["settings"]["index.creation_date"]) for described in answer.values())
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def probe(timeout: float) -> str:
    """Ask for the cluster's health.

    Returns:
        "green", "yellow" or "red".

    Raises:
        TransportError, ApiError: it does not answer within ``timeout`` seconds.
    """
    status: str = to_elasticsearch().client.options(request_timeout=timeout).cluster.health()["status"]
    return status


def perform(method: str, target: str, body: Any = None) -> Any:
    """Send one request to Elasticsearch.

    Args:
        method: of HTTP.
        target: path and query string.
        body: to be written as JSON.

    Returns:
        the answer, read.

    Raises:
        Problem: there is no answer, or none that is a success.
    """
    # One request as it is: the client's own methods have no way to add headers but to copy the whole client.
    correlation = current_correlation()
    headers = _JSON | correlation.headers | {"X-Opaque-Id": correlation.request_id}
    with to_elasticsearch().circuit.closed():
        until = time.monotonic() + _MEMORY_SECONDS
        while True:
            try:
                return _send_again_if_dropped(method, target, headers, body)
            except OutOfMemory:
                if time.monotonic() + _MEMORY_PAUSE_SECONDS > until:
                    raise
            time.sleep(_MEMORY_PAUSE_SECONDS)


def _send_again_if_dropped(method: str, target: str, headers: Mapping[str, str], body: Any) -> Any:
    try:
        return _send(method, target, headers, body)
    except TransportError as error:
        if not isinstance(error.__cause__, ProtocolError):
            raise _unreachable(error) from None
    # A connection that was kept may be dropped just when it is used again; nothing here changes a document.
    try:
        return _send(method, target, headers, body)
    except TransportError as error:
        raise _unreachable(error) from None


def _send(method: str, target: str, headers: Mapping[str, str], body: Any) -> Any:
    seconds = time_left(settings.GATEWAY.search_timeout)
    # To give a single request another time-out takes half a millisecond, so only where it must be.
    whole = seconds == settings.GATEWAY.search_timeout
    client = to_elasticsearch().client
    elasticsearch = client if whole else client.options(request_timeout=seconds)
    try:
        with long_answers(_claim):
            return elasticsearch.perform_request(method, target, headers=headers, body=body).body
    except ConnectionTimeout as error:
        if not whole:
            raise deadline_passed() from None
        detail = f"Elasticsearch did not answer within {seconds:g} s."
        if not isinstance(error.__cause__, ReadTimeoutError):
            raise Unavailable(Code.SEARCH_UNAVAILABLE, detail) from None
        # Whoever was reached, and then took too long, may only have been asked too much.
        raise _unless_down(Unanswered(Code.SEARCH_UNAVAILABLE, detail)) from None
    except SerializationError:
        logger.error("Elasticsearch's answer is not JSON")
        raise Unanswered(Code.SEARCH_UNAVAILABLE, "Elasticsearch's answer cannot be read; try again.") from None
    except TransportError as error:
        if isinstance(error.__cause__, AnswerTooLarge):
            raise TooLarge from None
        if isinstance(error.__cause__, Problem):
            raise error.__cause__ from None
        raise
    except ApiError as error:
        problem = read_error(error)
        raise (_unless_down(problem) if isinstance(problem, Unanswered) else problem) from None


def _claim(length: int) -> None:
    """Take memory for an answer: what was read, its documents, and the answer that is made of them."""
    claim(Part.ANSWER, 3 * length)


def _unless_down(problem: Unanswered) -> Unavailable:
    """The problem of one request; or of all, where Elasticsearch's health says so or cannot be asked for."""
    try:
        if probe(time_left(_PROBE_SECONDS)) != "red":
            return problem
    except TransportError:
        pass
    except ApiError as error:
        if error.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            return problem
    return Unavailable(Code.SEARCH_UNAVAILABLE, problem.detail)


def _unreachable(error: TransportError) -> Unavailable:
    logger.error("Elasticsearch cannot be reached: %s", error.__class__.__name__)
    return Unavailable(Code.SEARCH_UNAVAILABLE, "Elasticsearch cannot be reached; try again.")


def read_error(error: ApiError) -> Problem:
    """Say what an answer other than success means, in words of ours: Elasticsearch's own never reach a caller."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "The index does not exist.")
    problem = _named_problem(str(error.body))
    if problem is not None:
        return problem
    logger.error("Elasticsearch answered %s: %s", error.status_code, _error_type(error.body))
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return RejectedQuery(Code.MALFORMED, "Elasticsearch refuses this query.")
    return Unanswered(Code.SEARCH_UNAVAILABLE, "Elasticsearch cannot run this search right now; try again.")


def _named_problem(body: str) -> Problem | None:
    """The problem of an error whose name or words are known, whatever its status; None of any other."""
    if any(name in body for name in _TOO_COMPLEX):
        return RejectedQuery(
            Code.TOO_COMPLEX, "Elasticsearch finds the query too complex; use fewer clauses or a simpler pattern."
        )
    if "nanosecond resolution" in body:
        # Only Elasticsearch knows where its date math leads to, as only it knows the time.
        return RejectedQuery(
            Code.TYPE_MISMATCH, "A date in the query is outside what date_nanos holds, 1970-01-01 to 2262-04-11."
        )
    if _TIMED_OUT in body:
        return Unanswered(Code.SEARCH_UNAVAILABLE, "Elasticsearch did not answer in time; ask for less.")
    if _OUT_OF_MEMORY in body:
        return OutOfMemory()
    if _BUSY in body:
        return Unanswered(Code.OVERLOADED, "Elasticsearch has more searches than it can run at once; try again.")
    return None


def _error_type(body: Any) -> str:
    """Elasticsearch's name of an error; its reason would quote the query."""
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("type")) if isinstance(error, dict) else "no error of Elasticsearch's own"
