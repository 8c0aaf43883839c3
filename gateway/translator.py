"""The translator's client: query text in, Elasticsearch Query DSL out."""

import logging
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
import urllib3
from django.conf import settings
from urllib3.exceptions import HTTPError

from gateway.correlation import Correlation
from gateway.problems import REJECTIONS, Code, Problem, RejectedQuery, Unavailable

logger = logging.getLogger(__name__)

# The longest query text makes a few megabytes of DSL; more than this is no answer of a translator.
_MAX_RESPONSE_BYTES = 16 * 1024 * 1024
_REJECTION_MEMBERS = ("position", "end", "line", "column", "caret", "suggestions")


@cache
def _pool(url: str, connections: int) -> urllib3.connectionpool.HTTPConnectionPool:
    return urllib3.connection_from_url(url, maxsize=connections, retries=False)


def _request(
    method: str, path: str, *, timeout: float, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Send one request over a kept connection.

    Returns:
        the status and at most ``_MAX_RESPONSE_BYTES`` + 1 bytes.

    Raises:
        HTTPError: there is no answer.
    """
    pool = _pool(settings.GATEWAY.translator_url, settings.GATEWAY.threads)
    response = pool.urlopen(method, path, body=body, headers=headers, timeout=timeout, preload_content=False)
    try:
        return response.status, response.read(_MAX_RESPONSE_BYTES + 1)
    finally:
        response.release_conn()


def translate(query: str, index: str, *, case_insensitive: bool, correlation: Correlation) -> dict[str, Any]:
    """Turn a query text into Elasticsearch Query DSL.

    Args:
        query: the text, as it was typed.
        index: the index by whose mapping it is read.
        case_insensitive: compare strings without regard to case.
        correlation: the request that the call is made for.

    Raises:
        RejectedQuery: the text is no query for this index.
        Problem: 404, there is no such index.
        Unavailable: the translator, or its Elasticsearch, cannot be reached or does not make sense.
    """
    body = orjson.dumps({"query": query, "index": index, "case_insensitive": case_insensitive})
    try:
        status, answer = _request(
            "POST",
            "/translate",
            timeout=settings.GATEWAY.translator_timeout,
            body=body,
            headers=correlation.headers | {"Content-Type": "application/json"},
        )
    except HTTPError as error:
        logger.error("the translator cannot be reached: %s", error.__class__.__name__)
        raise Unavailable(Code.TRANSLATOR_UNAVAILABLE, "The translator cannot be reached; try again.") from None
    return read_answer(status, answer)


def read_answer(status: int, body: bytes) -> dict[str, Any]:
    """Make the DSL, or the right problem, of the translator's answer.

    Raises:
        RejectedQuery, Problem, Unavailable: as ``translate`` does.
    """
    answer = _read_object(body)
    query, code, detail = answer.get("query"), str(answer.get("code")), str(answer.get("detail"))
    if status == HTTPStatus.OK and isinstance(query, dict):
        return query
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and code in REJECTIONS:
        raise RejectedQuery(Code(code), detail, {name: answer[name] for name in _REJECTION_MEMBERS if name in answer})
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise RejectedQuery(Code.TOO_COMPLEX, "The query is too long.")
    if (status, code) == (HTTPStatus.NOT_FOUND, Code.NOT_FOUND):
        raise Problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, detail)
    if (status, code) == (HTTPStatus.SERVICE_UNAVAILABLE, Code.SEARCH_UNAVAILABLE):
        raise Unavailable(Code.SEARCH_UNAVAILABLE, detail)
    logger.error("the translator answered %s with something that is not in its contract", status)
    raise Unavailable(Code.TRANSLATOR_UNAVAILABLE, "The translator does not work right now; try again.")


def _read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in the body, empty where there is none."""
    try:
        answer = orjson.loads(body) if len(body) <= _MAX_RESPONSE_BYTES else None
    except orjson.JSONDecodeError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def probe(timeout: float) -> None:
    """Ask whether the translator's process is up.

    Raises:
        HTTPError: it does not answer within ``timeout`` seconds.
        ConnectionError: it answers with something other than success.
    """
    status, _ = _request("GET", "/healthz", timeout=timeout)
    if status != HTTPStatus.OK:
        raise ConnectionError(f"the translator answered {status}")
