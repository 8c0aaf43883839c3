"""Connections to the translator and to Elasticsearch, each with its circuit breaker.

Those of one configuration are made at their first use and live as long as the process.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from elastic.exchange import ElasticsearchExchange, authorization
from elastic.settings import ElasticsearchSettings
from gateway.http.circuit_breaker import Circuit
from gateway.http.problems import Code
from kit.http_exchange import HttpExchange


@dataclass(frozen=True, slots=True)
class ToTranslator:
    """Connections to the translator, and its circuit breaker."""

    exchange: HttpExchange
    circuit: Circuit


@dataclass(frozen=True, slots=True)
class ToElasticsearch:
    """Connections to Elasticsearch, the headers of every request to it, and its circuit breaker."""

    exchange: ElasticsearchExchange
    headers: Mapping[str, str]
    circuit: Circuit


def to_translator() -> ToTranslator:
    """Return the process's connections to the translator."""
    return _to_translator(settings.GATEWAY.translator_url, settings.GATEWAY.threads)


def to_elasticsearch() -> ToElasticsearch:
    """Return the process's connections to Elasticsearch."""
    return _to_elasticsearch(settings.ELASTICSEARCH, settings.GATEWAY.threads)


@cache
def _to_translator(url: str, connections: int) -> ToTranslator:
    exchange = HttpExchange(url, connections=connections, with_headers=True)
    return ToTranslator(exchange, Circuit("translator", Code.TRANSLATOR_UNAVAILABLE))


@cache
def _to_elasticsearch(elasticsearch: ElasticsearchSettings, connections: int) -> ToElasticsearch:
    exchange = ElasticsearchExchange(elasticsearch.url, connections=connections, ca_certs=elasticsearch.ca_certs)
    headers = {"accept": "application/json", "content-type": "application/json"} | authorization(elasticsearch)
    return ToElasticsearch(exchange, headers, Circuit("Elasticsearch", Code.SEARCH_UNAVAILABLE))
