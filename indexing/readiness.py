"""Readiness of Elasticsearch for documents: it answers, and new indices get the strict mapping."""

from http import HTTPStatus

from elastic.exchange import ElasticsearchExchange
from elastic.lenient_json import read_object
from kit.http_exchange import NoAnswer

_PROBE_SECONDS = 2.0
_STRICT = {"template": {"mappings": {"dynamic": "strict"}}}


def unready(elasticsearch: ElasticsearchExchange, index: str) -> str | None:
    """Say what keeps documents out of an index that is yet to be made, or None.

    Without its template an index would be made with guessed types, for the whole of its day.
    https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-simulate-index-template
    """
    target = f"/_index_template/_simulate_index/{index}?filter_path=template.mappings.dynamic"
    try:
        answer = elasticsearch.ask("POST", target, timeout=_PROBE_SECONDS)
    except NoAnswer as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    if answer.status == HTTPStatus.FORBIDDEN:
        # A user who may write but not look at templates; writing will tell.
        return None
    if answer.status != HTTPStatus.OK:
        return f"HTTP {answer.status}"
    if read_object(answer.body) != _STRICT:
        return f"no index template with a strict mapping matches {index} (python -m elastic bootstrap)"
    return None
