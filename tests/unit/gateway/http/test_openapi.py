"""Components of the OpenAPI document that are made from types of answers."""

from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from typing_extensions import TypedDict

import gateway.http.openapi  # noqa: F401  # pylint: disable=unused-import  # registers how answers become components


class _Inner(TypedDict):
    name: str


class _Answer(TypedDict):
    inner: _Inner


def _other(name: str) -> Any:
    """A type of the name with another member."""
    # mypy wants the name to stand in the call.
    make: Any = TypedDict
    return make(name, {"number": int})


@pytest.mark.parametrize(
    ("answers", "is_warned_of"),
    [
        ([_Answer, _Inner], False),
        ([_Inner, _Answer], False),
        ([_Answer, _other("_Answer")], True),
        ([_Answer, _other("_Inner")], True),
        ([_other("_Inner"), _Answer], True),
    ],
)
def test_two_types_of_one_name_are_warned_of_and_one_that_stands_twice_is_not(
    answers: list[Any], is_warned_of: bool
) -> None:
    schema: Any = AutoSchema()
    schema.registry = ComponentRegistry()
    reset_generator_stats()
    for answer in answers:
        schema.resolve_serializer(answer, "response")
    assert bool(GENERATOR_STATS) is is_warned_of
    reset_generator_stats()
