"""Connections to the translator and to Elasticsearch, each with its circuit breaker.

Those of one configuration are made at their first use and live as long as the process.
"""

from dataclasses import dataclass
from functools import cache

import urllib3
from django.conf import settings
from elasticsearch import Elasticsearch
from urllib3.connectionpool import HTTPConnectionPool

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from gateway.http.circuit_breaker import Circuit
from gateway.http.problems import Code
from gateway.search.documents import DocumentSerializer


@dataclass(frozen=True, slots=True)
class ToTranslator:
    """Pool of connections to the translator, and its circuit breaker."""

    pool: HTTPConnectionPool
    circuit: Circuit


@dataclass(frozen=True, slots=True)
class ToElasticsearch:
    """Client of Elasticsearch, and its circuit breaker."""

    client: Elasticsearch
    circuit: Circuit


def to_translator() -> ToTranslator:
    """Return the process's connections to the translator."""
    return _to_translator(settings.GATEWAY.translator_url, settings.GATEWAY.threads)


def to_elasticsearch() -> ToElasticsearch:
    """Return the process's client of Elasticsearch."""
    return _to_elasticsearch(settings.ELASTICSEARCH, settings.GATEWAY.search_timeout, settings.GATEWAY.threads)


@cache
def _to_translator(url: str, connections: int) -> ToTranslator:
    pool = urllib3.connection_from_url(url, maxsize=connections, retries=False)
    return ToTranslator(pool, Circuit("translator", Code.TRANSLATOR_UNAVAILABLE))


@cache
def _to_elasticsearch(elasticsearch: ElasticsearchSettings, timeout: float, connections: int) -> ToElasticsearch:
    client = connect(elasticsearch, request_timeout=timeout, connections=connections, serializer=DocumentSerializer())
    return ToElasticsearch(client, Circuit("Elasticsearch", Code.SEARCH_UNAVAILABLE))
