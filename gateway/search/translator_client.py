"""The translator's client: what a query text means, what can stand in it, and which fields it can name."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import UnionType
from typing import Any, TypedDict, cast
from urllib.parse import urlencode

import orjson
from django.conf import settings

from elastic.lenient_json import read_object
from gateway.http.correlation import current_correlation
from gateway.http.deadline import deadline_passed, time_left
from gateway.http.memory import Part, claim
from gateway.http.metrics import STAGE_SECONDS
from gateway.http.problems import REJECTIONS, Code, Problem, RejectedQuery, Unanswered, Unavailable
from gateway.search.connections import to_translator
from gateway.search.notices import Notice
from gateway.search.schema import Completion, FieldList
from kit.http_exchange import Answer, AnswerTooLarge, NoAnswer, TimedOut

logger = logging.getLogger(__name__)

_VALUES = 8
"""Memory that the values of an answer take, in lengths of its text."""
_PROBE_SECONDS = 1.0
_REJECTION_MEMBERS = ("position", "end", "line", "column", "caret", "suggestions")


class Translated(TypedDict):
    """A search whose names are resolved.

    Attributes:
        query: Elasticsearch Query DSL.
        names: the fields in the query.
        canonical: the query in its canonical form.
        sort: Elasticsearch's sort clauses.
        source: the members of a document to return; True for all.
    """

    query: dict[str, Any]
    names: list[str]
    canonical: str
    notices: list[Notice]
    sort: list[dict[str, Any]]
    source: list[str] | bool


Members = Mapping[str, type | UnionType]
"""The names and types of what an answer must have."""

TRANSLATION: Members = {
    "query": dict,
    "names": list,
    "canonical": str,
    "notices": list,
    "sort": list,
    "source": list | bool,
}
COMPLETION: Members = {"start": int, "end": int, "suggestions": list, "complete": bool, "values_of": str | None}
CATALOGUE: Members = {"index": str, "fields": list}


def _request(
    method: str, target: str, *, timeout: float, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """Send one request over a kept connection.

    Raises:
        NoAnswer: the answer is missing, is not whole in time, or is over ``MAX_TRANSLATION_BYTES``.
    """
    return to_translator().exchange.ask(
        method,
        target,
        timeout=timeout,
        on_long=_claim,
        body=body,
        headers=headers,
        # A question changes nothing.
        again=True,
    )


def _claim(length: int) -> None:
    claim(Part.TRANSLATION, _VALUES * length)


@STAGE_SECONDS.labels("translate").time()
def translate(
    query: str,
    index: str,
    *,
    case_insensitive: bool,
    sort: Sequence[str] = (),
    fields: Sequence[str] | None = None,  # pylint: disable=redefined-outer-name  # the contract's name
) -> Translated:
    """Turn a query text into Elasticsearch Query DSL, and resolve the other names of its search.

    Args:
        query: the text, as it was typed.
        index: the index by whose mapping it is read.
        case_insensitive: compare strings without regard to case.
        sort: field names, each after "-" for descending order.
        fields: the names of members of a document; None for all.

    Raises:
        RejectedQuery: the text is no query for this index, or a name in ``sort`` or ``fields`` does not do.
        Problem: 404, there is no such index.
        Unavailable: the translator, or its Elasticsearch, cannot be reached or does not make sense.
    """
    body = {
        "query": query,
        "index": index,
        "case_insensitive": case_insensitive,
        "sort": sort,
        "fields": fields,
    }
    return cast(Translated, _ask("POST", "/translate", TRANSLATION, body))


def complete(query: str, cursor: int, index: str) -> Completion:
    """Find what can stand at the cursor of a query; this may look values up in the index.

    Args:
        query: the text as far as it has been typed.
        cursor: in characters from 0, at most the length of the text.
        index: the index whose fields and values are offered.

    Raises:
        RejectedQuery, Problem, Unavailable: as ``translate`` does.
    """
    body = {"query": query, "cursor": cursor, "index": index}
    return cast(Completion, _ask("POST", "/complete", COMPLETION, body))


def fields(index: str) -> FieldList:
    """List the fields of an index that a query can name.

    Args:
        index: the index, alias or pattern.

    Raises:
        Problem, Unavailable: as ``translate`` does.
    """
    return cast(FieldList, _ask("GET", f"/fields?{urlencode({'index': index})}", CATALOGUE))


def _ask(method: str, path: str, members: Members, body: Any = None) -> dict[str, Any]:
    content = None if body is None else orjson.dumps(body)
    headers = current_correlation().headers | {"Content-Type": "application/json"}
    with to_translator().circuit.closed():
        try:
            answer = _request_in_time(method, path, content, headers)
            return read_answer(answer.status, answer.body, members)
        except Unanswered as problem:
            raise _unless_down(problem) from None
        except AnswerTooLarge:
            raise _unless_down(_out_of_contract("an answer that is too long")) from None
        except NoAnswer as error:
            logger.error("the translator cannot be reached: %s", error.__class__.__name__)
            raise Unavailable(Code.TRANSLATOR_UNAVAILABLE, "The translator cannot be reached; try again.") from None


def _request_in_time(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
    seconds = time_left(settings.GATEWAY.translator_timeout)
    try:
        return _request(method, path, timeout=seconds, body=body, headers=headers)
    except TimedOut as error:
        if not error.was_sent:
            raise
        if seconds < settings.GATEWAY.translator_timeout:
            raise deadline_passed() from None
        raise Unanswered(
            Code.TRANSLATOR_UNAVAILABLE, f"The translator did not answer within {seconds:g} s; try again."
        ) from None


def _unless_down(problem: Unanswered) -> Unavailable:
    """The problem of one request; or of all, where the translator does not even say that it is up.

    It may wait for Elasticsearch with one question, such as for a name that it does not know, and answer others.
    """
    try:
        probe(time_left(_PROBE_SECONDS))
    except (NoAnswer, ConnectionError):
        return Unavailable(problem.code, problem.detail)
    return problem


def read_answer(status: int, body: bytes | bytearray, members: Members) -> dict[str, Any]:
    """Take the members of the translator's answer, or raise the right problem.

    Args:
        status: the HTTP status.
        body: JSON, if it is a translator that answers.
        members: what a success must have; anything else in it is left out.

    Raises:
        RejectedQuery, Problem, Unavailable: as ``translate`` does.
    """
    answer = read_object(body)
    if status == HTTPStatus.OK and all(
        name in answer and isinstance(answer[name], kind) for name, kind in members.items()
    ):
        return {name: answer[name] for name in members}
    code, detail = str(answer.get("code")), str(answer.get("detail"))
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and (code in REJECTIONS or code == Code.MALFORMED):
        raise RejectedQuery(Code(code), detail, {name: answer[name] for name in _REJECTION_MEMBERS if name in answer})
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise RejectedQuery(Code.TOO_COMPLEX, "The query is longer than the translator's TRANSLATOR_BODY_BYTES.")
    if (status, code) == (HTTPStatus.NOT_FOUND, Code.NOT_FOUND):
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, detail)
    # Neither is a fault of the translator, so neither opens its circuit breaker.
    if status == HTTPStatus.SERVICE_UNAVAILABLE and code in (Code.SEARCH_UNAVAILABLE, Code.OVERLOADED):
        raise Unavailable(Code(code), detail)
    raise _out_of_contract(f"{status} with something that is not in its contract")


def _out_of_contract(answer: str) -> Unanswered:
    logger.error("the translator answered %s", answer)
    return Unanswered(Code.TRANSLATOR_UNAVAILABLE, "The translator does not work right now; try again.")


def probe(timeout: float) -> None:
    """Ask whether the translator's process is up.

    Raises:
        NoAnswer: it does not answer within ``timeout`` seconds.
        ConnectionError: it answers with something other than success.
    """
    answer = _request("GET", "/healthz", timeout=timeout)
    if answer.status != HTTPStatus.OK:
        raise ConnectionError(f"the translator answered {answer.status}")
