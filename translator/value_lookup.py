"""Values of a field that start like the word being typed, from the index itself."""

import re
from dataclasses import dataclass
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from translator import tokens
from translator.catalogue import Field
from translator.complete import MAX_SUGGESTIONS, Suggestion

_DOCUMENTS = 100_000
"""Documents of a shard that are looked at, at most."""
_MILLISECONDS = 500
_LONGEST_WORD = 100
_LUCENE_SPECIAL = re.compile(r"""[.?+*|{}\[\]()"\\#@&<>~^$-]""")


@dataclass(frozen=True, slots=True)
class Values:
    """Values that were found; ``is_complete`` if the index has no others that start with the word."""

    suggestions: tuple[Suggestion, ...] = ()
    is_complete: bool = False


def look_up(client: Elasticsearch, index: str, field: Field, word: str) -> Values:
    """The most frequent values that start with a word.

    Args:
        client: its request timeout bounds the wait.
        index: an index, or a pattern of them.
        field: a field of whole strings.
        word: what has been typed of the value.

    Returns:
        None of them where Elasticsearch does not answer in time: a suggestion is not worth an error.
    """
    if len(word) > _LONGEST_WORD:
        return Values()
    text = "".join(part for part in tokens.bare_parts(word) if isinstance(part, str)) if word else ""
    terms: dict[str, Any] = {"terms": {"field": field.path, "size": MAX_SUGGESTIONS}}
    query: dict[str, Any] = {"exists": {"field": field.path}}
    if text:
        terms["terms"]["include"] = _LUCENE_SPECIAL.sub(r"\\\g<0>", text) + ".*"
        query = {"prefix": {field.path: text}}
    aggregation = terms
    if field.nested:
        path = field.nested[-1]
        query = {"nested": {"path": path, "query": query, "ignore_unmapped": True}}
        aggregation = {"nested": {"path": path}, "aggs": {"below": terms}}
    try:
        answer = client.search(
            index=index,
            query={"bool": {"filter": [query]}},
            aggs={"values": aggregation},
            size=0,
            terminate_after=_DOCUMENTS,
            timeout=f"{_MILLISECONDS}ms",
        )
    except (ApiError, TransportError):
        return Values()
    found = answer["aggregations"]["values"]
    found = found["below"] if field.nested else found
    suggestions = tuple(
        Suggestion(tokens.write_value((bucket["key"],) if bucket["key"] else ()), "value")
        for bucket in found["buckets"]
    )
    cut = answer["timed_out"] or answer.get("terminated_early") or answer["_shards"]["failed"]
    return Values(suggestions, is_complete=not cut and found["sum_other_doc_count"] == 0)
