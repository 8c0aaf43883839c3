"""Holds what Elasticsearch finds against what the reference evaluator says."""

from datetime import UTC, datetime
from itertools import count, cycle
from typing import Any

from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from tests.support.reference import Reference
from tests.support.strategies import Question, World, worlds
from translator.catalogue import Catalogue
from translator.dsl import translate
from translator.format import format as write

QUESTIONS = 12
"""Queries that an index is asked."""
INDICES = 10
"""Indices of a batch: after these Hypothesis varies what it had, which for examples as large finds less."""

_numbers = count()


def compare(client: Elasticsearch, batch: int) -> None:
    """Make a batch of indices and ask each of them; the same number makes the same ones.

    Raises:
        AssertionError: Elasticsearch and the reference evaluator disagree; the message shows each query and document.
    """

    @seed(batch)
    @settings(
        max_examples=INDICES,
        database=None,
        deadline=None,
        # A report names one query and one document, so asking smaller worlds gains nothing.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(world=worlds(questions=QUESTIONS))
    def agree(world: World) -> None:
        found = disagreements(client, world)
        assert not found, "\n\n".join(found)

    agree()  # pylint: disable=no-value-for-parameter  # Hypothesis hands the world over


def disagreements(client: Elasticsearch, world: World) -> list[str]:
    """Ask Elasticsearch everything in indices of its own, by a pattern, a list and an alias in turn.

    Returns:
        The documents that only one of the two finds, as a person would want to see them.

    Raises:
        AssertionError: Elasticsearch does not take a document.
        QueryError: the translator does not take a query.
    """
    prefix = f"language-{next(_numbers)}"
    indices = [f"{prefix}-{number}" for number in range(len(world.indices))]
    alias = f"{prefix}.all"
    operations: list[dict[str, Any]] = []
    try:
        for index, (mapping, documents) in zip(indices, world.indices, strict=True):
            settings_of_it = {"number_of_shards": 1, "number_of_replicas": 0}
            client.indices.create(index=index, mappings=mapping, settings=settings_of_it, aliases={alias: {}})
            for number, document in enumerate(documents):
                operations += [{"create": {"_index": index, "_id": str(number)}}, document]
        answer = client.bulk(operations=operations, refresh=True)
        assert not answer["errors"], [item for item in answer["items"] if "error" in item["create"]]
        return _ask(client, indices, (f"{prefix}-*", ",".join(indices), alias), world)
    finally:
        client.indices.delete(index=indices, ignore_unavailable=True)


def _ask(client: Elasticsearch, indices: list[str], names: tuple[str, ...], world: World) -> list[str]:
    mappings = {index: mapping for index, (mapping, _) in zip(indices, world.indices, strict=True)}
    catalogue = Catalogue.from_mappings(mappings)
    queries = [
        translate(write(question.tree), catalogue, case_insensitive=question.case_insensitive).query
        for question in world.questions
    ]
    searches: list[dict[str, Any]] = []
    for name, query in zip(cycle(names), queries, strict=False):
        searches += [{"index": name}, {"query": query, "size": 100, "_source": False}]
    answers = client.msearch(searches=searches)["responses"]
    now = datetime.now(UTC)
    return [
        f"{question!r}\nsent       {query}\ndocument   {document}\n{problem}"
        for question, query, answer in zip(world.questions, queries, answers, strict=True)
        for document, problem in _differences(question, answer, indices, world, now)
    ]


def _differences(
    question: Question, answer: Any, indices: list[str], world: World, now: datetime
) -> list[tuple[dict[str, Any], str]]:
    if "error" in answer:
        return [({}, f"Elasticsearch refuses it: {answer['error']['root_cause']}")]
    found = {(hit["_index"], hit["_id"]) for hit in answer["hits"]["hits"]}
    differences = []
    for index, (mapping, documents) in zip(indices, world.indices, strict=True):
        reference = Reference(
            mapping, now=now, case_insensitive=question.case_insensitive, is_one_of_several=len(indices) > 1
        )
        for number, document in enumerate(documents):
            is_found, is_meant = (index, str(number)) in found, reference.matches(question.tree, document)
            if is_found and not is_meant:
                differences.append((document, f"Elasticsearch finds it in {index}, although it is not meant"))
            if is_meant and not is_found:
                differences.append((document, f"Elasticsearch does not find it in {index}, although it is meant"))
    return differences
