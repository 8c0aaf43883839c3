"""HTTP to identity providers: three seconds, 256 KiB, no redirects, and a circuit breaker for each provider."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any

import orjson
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from gateway.http.circuit_breaker import Circuit
from gateway.http.deadline import deadline_passed, time_left
from gateway.http.problems import Code, Unavailable
from gateway.identity.providers.per_provider import PerProvider
from gateway.identity.providers.settings import Provider
from kit.http_exchange import Answer, HttpExchange, NoAnswer, TimedOut

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 256 * 1024
TIMEOUT_SECONDS = 3.0
_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class _ToProvider:
    exchange: HttpExchange
    circuit: Circuit


def _connect(provider: Provider) -> _ToProvider:
    # Its endpoints may be on several hosts, so each request has a whole URL.
    exchange = HttpExchange("", connections=_CONNECTIONS, limit=MAX_ANSWER_BYTES, with_headers=True)
    return _ToProvider(exchange, Circuit(f"provider {provider.name}", Code.PROVIDER_UNAVAILABLE))


_to_provider = PerProvider(_connect)


def ask(
    provider: Provider, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """Send one request to a provider.

    Args:
        provider: whose circuit breaker it is.
        method: of HTTP.
        url: one that the provider's metadata has, never one of a request or a token.
        headers: of the request.
        body: of the request.

    Raises:
        Unavailable: there is no answer in time, or one of a server that fails.
    """
    to_provider = _to_provider(provider)
    with to_provider.circuit.closed():
        seconds = time_left(TIMEOUT_SECONDS)
        try:
            answer = to_provider.exchange.ask(method, url, timeout=seconds, headers=headers, body=body)
        except TimedOut:
            if seconds < TIMEOUT_SECONDS:
                raise deadline_passed() from None
            raise unavailable(provider, "does not answer in time") from None
        except NoAnswer as error:
            raise unavailable(provider, f"cannot be reached ({error.__class__.__name__})") from None
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise unavailable(provider, f"answers {answer.status}")
        return answer


def ask_object(provider: Provider, url: str, *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Get a JSON object from a provider.

    Raises:
        Unavailable: as ``ask`` does, or it answers something else.
    """
    answer = ask(provider, "GET", url, headers={"Accept": "application/json", **(headers or {})})
    try:
        value = orjson.loads(answer.body) if answer.status == HTTPStatus.OK else None
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise unavailable(provider, f"answers {answer.status} without a JSON object")
    return value


def unavailable(provider: Provider, why: str) -> Unavailable:
    """The problem of a provider that does not work; why goes to the log, as it is for the operator."""
    logger.error("the identity provider %s %s", provider.name, why)
    return Unavailable(
        Code.PROVIDER_UNAVAILABLE, f"The identity provider {provider.name} does not work right now; try again."
    )


class ProviderAdapter(BaseAdapter):
    """Transport of requests, the library, by the connections of this module."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self._provider = provider

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """Send a request; the bounds are those of ``ask``, whatever the library asks for."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        assert request.method and request.url and isinstance(body, bytes | None), "the library has prepared it"
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() != "content-length"}
        answer = ask(self._provider, request.method, request.url, headers=headers, body=body)
        response = Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.url = request.url
        response.request = request
        response.raw = BytesIO(answer.body)
        return response

    def close(self) -> None:
        """Keep the connections, which are those of the process."""
