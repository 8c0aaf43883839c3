"""Whether Elasticsearch is ready to take documents: it answers, and new indices will have the strict mapping."""

from elasticsearch import ApiError, Elasticsearch, TransportError, UnsupportedProductError

_PROBE_SECONDS = 2.0


def unready(client: Elasticsearch, index: str) -> str | None:
    """Say what keeps documents out of an index that is yet to be made, or None.

    Without its template an index would be made with guessed types, for the whole of its day.
    https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-simulate-index-template
    """
    try:
        answer = client.options(request_timeout=_PROBE_SECONDS).indices.simulate_index_template(
            name=index, filter_path="template.mappings.dynamic"
        )
    except (TransportError, UnsupportedProductError) as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    except ApiError as error:
        # A user who may write but not look at templates; writing will tell.
        return None if error.status_code == 403 else f"HTTP {error.status_code}"
    if answer.body.get("template", {}).get("mappings", {}).get("dynamic") != "strict":
        return f"no index template with a strict mapping matches {index} (python -m elastic bootstrap)"
    return None
