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

from elastic.exchange import MAX_ANSWER_BYTES, ElasticsearchExchange
from elastic.lenient_json import read_object
from gateway.http.correlation import current_correlation
from gateway.http.deadline import deadline_passed, time_left
from gateway.http.memory import Part, claim
from gateway.http.metrics import STAGE_SECONDS
from gateway.http.problems import Code, Problem, RejectedQuery, Unanswered, Unavailable
from gateway.search.connections import to_elasticsearch
from gateway.search.documents import read_answer
from gateway.search.request import SearchPlan, SearchRequest
from kit.http_exchange import AnswerTooLarge, NoAnswer, TimedOut

logger = logging.getLogger(__name__)

MAX_RESULT_WINDOW = 10_000
"""Hits that pages reach and that are counted exactly: Elasticsearch's ``index.max_result_window``."""

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

    ``results`` are the documents as JSON texts, ``ids`` their ids; ``next`` is the cursor of the page after it, where a
    cursor was asked for and there is more.
    """

    count: int
    count_relation: Literal["eq", "gte"]
    took_ms: int
    results: list[bytes]
    next: str | None = None
    ids: tuple[str, ...] = ()


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
        ids=tuple(hit["_id"] for hit in hits["hits"]),
    )


def id_query(document_id: str) -> dict[str, Any]:
    """The query for a document by its id."""
    return {"ids": {"values": [document_id]}}


@STAGE_SECONDS.labels("search").time()
def find_document(index: str, document_id: str) -> Page:
    """Fetch one document by its id, as a search finds it; of several indices, the first that has one.

    Raises:
        Problem: 404, there is no such document, or no such index.
        Unavailable: Elasticsearch cannot be reached, or cannot search all of the index.
    """
    body = {"query": id_query(document_id), "size": 1, "timeout": time_limit()}
    answer = perform("POST", f"/{index}/_search?allow_partial_search_results=false", body)
    found = answer["hits"]["hits"]
    if not found:
        raise Problem(
            HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "The index has no document of this id; it may have been deleted."
        )
    return Page(count=1, count_relation="eq", took_ms=answer["took"], results=[found[0]["_source"]])


def count_limit(request: SearchRequest) -> int | bool:
    """Limit of the count of hits; True for no limit."""
    return True if request.exact_count else MAX_RESULT_WINDOW


def time_limit() -> str:
    """Time-out of a search, in Elasticsearch's notation.

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


def probe(timeout: float) -> None:
    """Ask whether the cluster answers.

    Raises:
        NoAnswer: it does not, within ``timeout`` seconds.
        ConnectionError: it answers with something other than success.
    """
    status, _ = _health(timeout)
    if status != HTTPStatus.OK:
        raise ConnectionError(f"Elasticsearch answered {status}")


def _health(timeout: float) -> tuple[int, str]:
    """Status of the answer about the cluster's health, and the health: "green", "yellow" or "red"; empty if unknown."""
    to = to_elasticsearch()
    answer = to.exchange.ask("GET", "/_cluster/health", timeout=timeout)
    return answer.status, str(read_object(answer.body).get("status", ""))


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
    to, correlation = to_elasticsearch(), current_correlation()
    headers = {**correlation.headers, "X-Opaque-Id": correlation.request_id}
    content = None if body is None else orjson.dumps(body)
    with to.circuit.closed():
        until = time.monotonic() + _MEMORY_SECONDS
        while True:
            try:
                return _send(to.exchange, method, target, headers, content)
            except OutOfMemory:
                if time.monotonic() + _MEMORY_PAUSE_SECONDS > until:
                    raise
            time.sleep(_MEMORY_PAUSE_SECONDS)


def _send(  # pylint: disable=too-many-arguments,too-many-positional-arguments  # a request has as many
    exchange: ElasticsearchExchange, method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> Any:
    seconds = time_left(settings.GATEWAY.search_timeout)
    try:
        answer = exchange.ask(
            # Nothing here changes a document.
            method,
            target,
            timeout=seconds,
            body=body,
            headers=headers,
            on_long=_claim,
            again=True,
        )
    except AnswerTooLarge:
        raise TooLarge from None
    except TimedOut as error:
        if seconds < settings.GATEWAY.search_timeout:
            raise deadline_passed() from None
        detail = f"Elasticsearch did not answer within {seconds:g} s."
        if not error.was_sent:
            raise Unavailable(Code.SEARCH_UNAVAILABLE, detail) from None
        # A cluster that was reached, and then took too long, may only have been asked too much.
        raise _unless_down(Unanswered(Code.SEARCH_UNAVAILABLE, detail)) from None
    except NoAnswer as error:
        logger.error("Elasticsearch cannot be reached: %s", error.__class__.__name__)
        raise Unavailable(Code.SEARCH_UNAVAILABLE, "Elasticsearch cannot be reached; try again.") from None
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        problem = read_error(answer.status, answer.body)
        raise _unless_down(problem) if isinstance(problem, Unanswered) else problem
    try:
        return read_answer(answer.body)
    except ValueError:
        logger.error("Elasticsearch's answer is not JSON")
        raise Unanswered(Code.SEARCH_UNAVAILABLE, "Elasticsearch's answer cannot be read; try again.") from None


def _claim(length: int) -> None:
    """Take memory for an answer: what was read, its documents, and the answer that is made of them."""
    claim(Part.ANSWER, 3 * length)


def _unless_down(problem: Unanswered) -> Unavailable:
    """The problem of one request; or of all, where Elasticsearch's health says so or cannot be asked for."""
    try:
        status, health = _health(time_left(_PROBE_SECONDS))
    except NoAnswer:
        status, health = 0, ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.OK and health != "red"):
        return problem
    return Unavailable(Code.SEARCH_UNAVAILABLE, problem.detail)


def read_error(status: int, body: bytes | bytearray) -> Problem:
    """Say what an answer other than success means, in words of ours: Elasticsearch's own never reach a caller."""
    if status == HTTPStatus.NOT_FOUND:
        return Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "The index does not exist.")
    problem = _named_problem(body.decode(errors="replace"))
    if problem is not None:
        return problem
    logger.error("Elasticsearch answered %s: %s", status, _error_type(body))
    if status == HTTPStatus.BAD_REQUEST:
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


def _error_type(body: bytes | bytearray) -> str:
    """Elasticsearch's name of an error; its reason would quote the query."""
    error = read_object(body).get("error")
    return str(error.get("type")) if isinstance(error, dict) else "no error of Elasticsearch's own"
