"""Connections to the translator and to Elasticsearch, each with its circuit breaker.

They live as long as the process.
"""

from dataclasses import dataclass

from django.conf import settings

from elastic.exchange import ElasticsearchExchange
from elastic.settings import ElasticsearchSettings
from gateway.http.circuit_breaker import Circuit
from gateway.http.per_process import PerProcess
from gateway.http.problems import Code
from kit.http_exchange import HttpExchange

MAX_TRANSLATION_BYTES = 8 * 1024 * 1024
"""The longest query text makes a few megabytes of DSL; more than this is no answer of a translator."""


@dataclass(frozen=True, slots=True)
class ToTranslator:
    """Connections to the translator, and its circuit breaker."""

    exchange: HttpExchange
    circuit: Circuit


@dataclass(frozen=True, slots=True)
class ToElasticsearch:
    """Connections to Elasticsearch, and its circuit breaker."""

    exchange: ElasticsearchExchange
    circuit: Circuit


def _connect_to_translator(url: str, connections: int) -> ToTranslator:
    exchange = HttpExchange(url, connections=connections, limit=MAX_TRANSLATION_BYTES, with_headers=True)
    return ToTranslator(exchange, Circuit("translator", Code.TRANSLATOR_UNAVAILABLE))


def _connect_to_elasticsearch(elasticsearch: ElasticsearchSettings, connections: int) -> ToElasticsearch:
    exchange = ElasticsearchExchange.to(elasticsearch, connections)
    return ToElasticsearch(exchange, Circuit("Elasticsearch", Code.SEARCH_UNAVAILABLE))


to_translator = PerProcess(_connect_to_translator, lambda: (settings.GATEWAY.translator_url, settings.GATEWAY.threads))
to_elasticsearch = PerProcess(_connect_to_elasticsearch, lambda: (settings.ELASTICSEARCH, settings.GATEWAY.threads))
