"""Answers of Elasticsearch, each as a success, duplicate, retry, stall, poison or split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.outcomes import Outcome, classify_item, classify_status, describe


@pytest.mark.parametrize(
    ("status", "error_type", "outcome"),
    [
        (201, None, Outcome.INDEXED),
        (409, "version_conflict_engine_exception", Outcome.DUPLICATE),
        (429, "es_rejected_execution_exception", Outcome.RETRY),
        (429, "circuit_breaking_exception", Outcome.RETRY),
        (503, "unavailable_shards_exception", Outcome.RETRY),
        (500, None, Outcome.RETRY),
        (429, "cluster_block_exception", Outcome.STALL),
        (403, "cluster_block_exception", Outcome.STALL),
        (403, "security_exception", Outcome.STALL),
        (401, None, Outcome.STALL),
        (404, "index_not_found_exception", Outcome.STALL),
        (400, "validation_exception", Outcome.STALL),
        (400, "index_closed_exception", Outcome.STALL),
        (400, "document_parsing_exception", Outcome.POISON),
        (400, "strict_dynamic_mapping_exception", Outcome.POISON),
        (400, "illegal_argument_exception", Outcome.POISON),
    ],
)
def test_an_item_is_classified_by_status_and_type(status: int, error_type: str | None, outcome: Outcome) -> None:
    error = None if error_type is None else {"type": error_type, "reason": "…"}

    assert classify_item(status, error) is outcome


@pytest.mark.parametrize(
    ("status", "error_type", "outcome"),
    [
        (413, None, Outcome.SPLIT),
        (401, "security_exception", Outcome.STALL),
        (403, None, Outcome.STALL),
        (403, "cluster_block_exception", Outcome.STALL),
        (429, "es_rejected_execution_exception", Outcome.RETRY),
        (429, "cluster_block_exception", Outcome.STALL),
        (500, None, Outcome.RETRY),
        (502, None, Outcome.RETRY),
        (503, None, Outcome.RETRY),
        (504, None, Outcome.RETRY),
        (400, "illegal_argument_exception", Outcome.STALL),
        (302, None, Outcome.STALL),
    ],
)
def test_a_whole_request_is_classified_by_status_and_type(
    status: int, error_type: str | None, outcome: Outcome
) -> None:
    assert classify_status(status, error_type).outcome is outcome


@given(status=st.integers(min_value=100, max_value=599), error_type=st.one_of(st.none(), st.text()))
def test_no_whole_request_condemns_or_settles_its_events(status: int, error_type: str | None) -> None:
    assert classify_status(status, error_type).outcome in {Outcome.RETRY, Outcome.STALL, Outcome.SPLIT}


def test_a_description_has_the_reason_and_its_cause_and_is_bounded() -> None:
    error = {"type": "a", "reason": "b", "caused_by": {"type": "c", "reason": "d" * 5_000}}

    assert describe(error).startswith("a: b (c: ddd")
    assert len(describe(error)) == 1_000
    assert describe(None) == "no reason given"
