"""HTTP API of the translator."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import orjson
from elasticsearch import Elasticsearch
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from kit import tracing
from translator import problems, requests
from translator.catalogue import Catalogue, Field
from translator.catalogue_cache import CatalogueCache, ElasticsearchMappings, SearchUnavailable, UnknownIndex
from translator.complete import complete, operators_of
from translator.direct_route import DirectRoute
from translator.dsl import translate
from translator.errors import QueryError, RefusedName, UnknownField, UnknownName
from translator.format import format as format_query
from translator.metrics import Metrics
from translator.notices import written
from translator.openapi import document, reads
from translator.parameters import sort_clauses, source_members
from translator.problems import Problem
from translator.requests import DEFAULT_INDEX, CompleteRequest, IndexName, TranslateRequest
from translator.settings import TranslatorSettings
from translator.value_lookup import look_up
from translator.workers import TooManyWait, Workers

logger = logging.getLogger(__name__)

_SHORT = 1_000
"""Characters of a query that is translated in the event loop: for these, a thread would cost more than it spares."""
_CODES = {HTTPStatus.NOT_FOUND: "not_found", HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed"}


_T = TypeVar("_T")


class Service:
    """Objects that the endpoints share."""

    def __init__(self, settings: TranslatorSettings, client: Elasticsearch) -> None:
        self.settings = settings
        self.catalogues = CatalogueCache(ElasticsearchMappings(client), settings.unknown_field_refresh_seconds)
        self.metrics = Metrics()
        self.workers = Workers()
        self._translated = self.metrics.translations.labels("ok")

    async def catalogue(self, index: str) -> Catalogue:
        """The catalogue of an index.

        Raises:
            Problem: 404 or 503.
        """
        try:
            return await self.catalogues.get(index)
        except UnknownIndex:
            raise problems.unknown_index(index) from None
        except SearchUnavailable:
            raise problems.search_unavailable() from None

    async def translate(self, request: TranslateRequest) -> bytes:
        """The answer to a search, all its names resolved; one is called unknown only after a fresh look at the mapping.

        Raises:
            Problem: 422, 404 or 503.
        """
        catalogue = self.catalogues.cached(request.index) or await self.catalogue(request.index)
        try:
            try:
                answer = await self.worked(request.query, lambda: self._answer(request, catalogue))
            except (UnknownField, UnknownName):
                fresh = await self.catalogues.refreshed(request.index, catalogue)
                if fresh is None:
                    raise
                answer = await self.worked(request.query, lambda: self._answer(request, fresh))
        except QueryError as error:
            self.metrics.translations.labels(error.code).inc()
            raise problems.rejected(error) from None
        except RefusedName as error:
            self.metrics.translations.labels(error.code).inc()
            raise problems.refused(error) from None
        self._translated.inc()
        return answer

    async def worked(self, query: str, work: Callable[[], _T]) -> _T:
        """Do work on a query: at once where that is short, else in a thread.

        Raises:
            Problem: 503, too many wait for a thread.
        """
        # The cost of a regular expression has to be counted, which may take long for a few characters.
        if len(query) <= _SHORT and not ("~" in query and "/" in query):
            return work()
        try:
            return await self.workers.run(len(query), work)
        except TooManyWait:
            raise problems.overloaded() from None

    def _answer(self, request: TranslateRequest, catalogue: Catalogue) -> bytes:
        start = time.perf_counter()
        try:
            translation = translate(request.query, catalogue, case_insensitive=request.case_insensitive)
            sort = sort_clauses(request.sort, catalogue)
            source = source_members(request.fields, catalogue)
        finally:
            self.metrics.seconds.observe(time.perf_counter() - start)
        return orjson.dumps(
            {
                "query": translation.query,
                "names": translation.fields,
                "canonical": format_query(translation.tree),
                "notices": written(translation.notices),
                "sort": sort,
                "source": source,
            }
        )


def create_app() -> FastAPI:
    """The application, with its settings from the environment.

    Raises:
        ConfigurationError: a setting is missing or bad.
    """
    settings = TranslatorSettings.load()
    return build(settings, connect(ElasticsearchSettings.load(), request_timeout=settings.elasticsearch_timeout))


def build(settings: TranslatorSettings, client: Elasticsearch) -> FastAPI:
    """The application, with its settings and its connection to Elasticsearch given."""
    service = Service(settings, client)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        refresh = asyncio.create_task(service.catalogues.refresh_forever(settings.refresh_seconds))
        yield
        refresh.cancel()
        with suppress(asyncio.CancelledError):
            await refresh
        service.workers.close()
        client.close()

    async def translate_query(request: Request) -> Response:
        body = await requests.read(request, TranslateRequest, settings.body_bytes)
        return Response(await service.translate(body), media_type="application/json")

    async def complete_query(request: Request) -> Response:
        """`complete` is false where there may be more than the suggestions.

        `values_of` is the field of whose values the suggestions are, null where the index was not asked for any.
        """
        body = await requests.read(request, CompleteRequest, settings.body_bytes)
        catalogue = await service.catalogue(body.index)
        completion = await service.worked(body.query, lambda: complete(body.query, body.cursor, catalogue))
        suggestions, is_complete, field = completion.suggestions, completion.is_complete, completion.values_of
        if field is not None:
            found = await asyncio.to_thread(look_up, client, body.index, field, completion.word)
            suggestions, is_complete = found.suggestions, found.is_complete
        answer = {
            "start": completion.start,
            "end": body.cursor,
            "suggestions": suggestions,
            "complete": is_complete,
            "values_of": None if field is None else field.path,
        }
        return Response(orjson.dumps(answer), media_type="application/json")

    translating = document(TranslateRequest, "Elasticsearch Query DSL for a query.", 422, 404, 503)
    completing = document(CompleteRequest, "What can stand at the cursor of a query.", 404, 503)
    # These come first: routes are tried in turn.
    routes: list[BaseRoute] = [
        DirectRoute("/translate", translate_query, methods=["POST"], **translating),
        DirectRoute("/complete", complete_query, methods=["POST"], **completing),
    ]
    app = FastAPI(title="Sluice translator", lifespan=lifespan, redirect_slashes=False, routes=routes)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_exception_handler(Exception, _internal_error)

    @app.get("/fields", **reads("The fields of an index that a query can name.", 400, 404, 503))
    async def fields(index: Annotated[IndexName, Query()] = DEFAULT_INDEX) -> Response:
        catalogue = await service.catalogue(index)
        answer = {"index": index, "fields": [_described(name, field) for name, field in catalogue.fields.items()]}
        return Response(orjson.dumps(answer), media_type="application/json")

    @app.get("/healthz", **reads("The process is up."))
    async def healthz(_: Request) -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    @app.get("/readyz", **reads("Queries can be translated.", 503))
    async def readyz(_: Request) -> Response:
        reachable = await service.catalogues.is_reachable()
        # Catalogues in memory serve on while Elasticsearch is away.
        ready = reachable or len(service.catalogues) > 0
        answer = {
            "status": "ready" if ready else "unavailable",
            "dependencies": {"elasticsearch": "ok" if reachable else "unreachable"},
        }
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(orjson.dumps(answer), status.value, media_type="application/json")

    @app.get("/metrics", response_class=PlainTextResponse, **reads("Prometheus metrics."))
    async def metrics(_: Request) -> Response:
        service.metrics.catalogues.set(len(service.catalogues))
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def _described(name: str, field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": name,
        "type": field.type,
        "operators": operators_of(field),
        "sortable": field.sortable,
    }
    if field.path != name:
        described["alias_of"] = field.path
    if field.nested:
        described["nested"] = field.nested[-1]
    if field.problem:
        described["problem"] = field.problem
    return described


# Starlette starts a thread for a handler that is not async.
async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return Problem(status, _CODES.get(status, "malformed"), str(error.detail), headers=error.headers or {}).response()


async def _bad_parameter(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problems.malformed("; ".join(requests.complaints(error.errors()))).response()


async def _internal_error(request: Request, error: Exception) -> Response:
    tracing.join(request.headers.get("traceparent"))
    logger.error("a request failed", exc_info=error)
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "the translator failed; try again").response()
