"""Holds what Elasticsearch finds against what the reference evaluator says."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from elasticsearch import Elasticsearch

from tests.reference import Reference
from tests.strategies import Question, World
from translator.catalogue import Catalogue
from translator.dsl import translate
from translator.format import format as write

_NAMES = count()


@dataclass(frozen=True)
class Disagreement:
    """A document that only one of the two finds, as a person would want to see it."""

    text: str
    case_insensitive: bool
    query: dict[str, Any]
    document: dict[str, Any]
    mapping: dict[str, Any]
    elasticsearch: str

    def __repr__(self) -> str:
        return (
            f"\n  query           {self.text}\n  case-insensitive {self.case_insensitive}"
            f"\n  sent            {self.query}\n  document        {self.document}"
            f"\n  Elasticsearch   {self.elasticsearch}\n  mapping         {self.mapping}"
        )


def disagreements(client: Elasticsearch, world: World) -> list[Disagreement]:
    """Ask Elasticsearch everything in an index of its own.

    Raises:
        AssertionError: it does not take a document.
        QueryError: the translator does not take a query.
    """
    index = f"language-{next(_NAMES)}"
    client.indices.create(
        index=index, mappings=world.mapping, settings={"number_of_replicas": 0, "refresh_interval": "-1"}
    )
    try:
        operations: list[dict[str, Any]] = []
        for identifier, document in enumerate(world.documents):
            operations += [{"create": {"_id": str(identifier)}}, document]
        answer = client.bulk(index=index, operations=operations, refresh=True)
        assert not answer["errors"], [item for item in answer["items"] if "error" in item["create"]]
        return _asked(client, index, world)
    finally:
        client.indices.delete(index=index)


def _asked(client: Elasticsearch, index: str, world: World) -> list[Disagreement]:
    catalogue = Catalogue.from_mappings({index: world.mapping})
    texts = [write(question.tree) for question in world.questions]
    queries = [
        translate(text, catalogue, case_insensitive=question.case_insensitive).query
        for text, question in zip(texts, world.questions, strict=True)
    ]
    searches: list[dict[str, Any]] = []
    for query in queries:
        searches += [{}, {"query": query, "size": len(world.documents), "_source": False}]
    answers = client.msearch(index=index, searches=searches)["responses"]
    found: list[Disagreement] = []
    for text, question, query, answer in zip(texts, world.questions, queries, answers, strict=True):
        said = {hit["_id"] for hit in answer["hits"]["hits"]} if "hits" in answer else answer["error"]["root_cause"]
        meant = _meant(question, world)
        for identifier, document in enumerate(world.documents):
            if isinstance(said, list):
                verdict = f"refuses it: {said[0]['reason']}"
            elif (str(identifier) in said) is (identifier in meant):
                continue
            else:
                verdict = "does not find it" if identifier in meant else "finds it, although it is not meant"
            found.append(Disagreement(text, question.case_insensitive, query, document, world.mapping, verdict))
    return found


def _meant(question: Question, world: World) -> set[int]:
    reference = Reference(world.mapping, now=datetime.now(UTC), case_insensitive=question.case_insensitive)
    return {number for number, document in enumerate(world.documents) if reference.matches(question.tree, document)}
