"""The cost of patterns is known before Elasticsearch is asked, and a query whose patterns cost too much is refused."""

import pytest

from translator.catalogue import Catalogue
from translator.dsl import translate
from translator.errors import TooComplex

_CATALOGUE = Catalogue.from_mappings(
    {
        "devices": {
            "properties": {
                "name": {"type": "keyword"},
                "title": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 256}}},
            }
        }
    }
)


_COSTLY = ", ".join(f"*a????????{number}" for number in range(100))


def _any_of(pattern: str, count: int) -> str:
    """A query with so many different patterns; `#` in it is the number of each."""
    return " OR ".join(f"name {pattern.replace('#', str(number))}" for number in range(count))


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("= web#*", 1_024),
        ("= *web#*", 400),
        ("~ web#", 400),
        ("= *web-#.example.com", 250),
        ("= *srv-??-????.example#.com", 100),
        ("= a????????????????#", 500),
        ("= *????????????????", 100),
        ("= *a*b*c*#*", 50),
        ("= *a????????#", 9),
        ("~ /web[0-9]+#/", 500),
        (r"~ /\d{1,3}\.\d{1,3}\.\d{1,3}\.#/", 100),
        ("~ /(web|db|app)-[a-z]{2}[0-9]{4}-#/", 100),
        (f"~ /#|{'|'.join(f'{first}{second}rd' for first in 'abcdefgh' for second in 'stuvwxyz')}/", 2),
        (
            f"~ /#|{'|'.join(f'{first}{second}rd{second}{first}ab' for first in 'abcdefgh' for second in 'stuvwxyz')}/",
            15,
        ),
        ("~ /^a{1000}$/", 1),
        ("~ /a.{5,}#/", 50),
    ],
)
def test_patterns_as_people_write_them_are_taken(pattern: str, count: int) -> None:
    translate(_any_of(pattern, count), _CATALOGUE)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("= *a??????????#*N", 100),
        ("= *a??????????????????????????????", 1),
        ("~ a????????????????????????", 1),
        ("= *a????????#", 100),
        ("= *a????b????*c????#*", 20),
        (f"= *#{'*'.join('abcdefghijklmnopqrstuvwxyz')}", 100),
        (f"= *{'?' * 200}#", 100),
        ("~ /a.{10}N#/", 100),
        ("~ /a.{20}/", 1),
        ("~ /[a-f][^x]{20}/", 1),
        (r"~ /(a|b)\w{12}#/", 100),
        ("~ /a(.|b?){11}#/", 100),
        ("~ /^(.*a){9}#/", 1_000),
        ("~ /a{1000}/", 1),
        ("~ /(a?){3000}/", 1),
    ],
)
def test_patterns_that_cost_too_much_are_refused(pattern: str, count: int) -> None:
    with pytest.raises(TooComplex) as caught:
        translate(_any_of(pattern, count), _CATALOGUE)
    assert "write fewer ?" in caught.value.message


@pytest.mark.parametrize("query", [_any_of("= *a????????#", 100), f"name IN (x, y*, {_COSTLY})"])
def test_the_pattern_with_which_it_is_too_much_is_marked(query: str) -> None:
    with pytest.raises(TooComplex) as caught:
        translate(query, _CATALOGUE)
    assert query[caught.value.position : caught.value.end] == "*a????????9"


@pytest.mark.parametrize(
    "query",
    [
        f"name IN ({_COSTLY})",
        " OR ".join(f"title = *a????????{number}" for number in range(100)),
        " AND ".join(f"title ~ a????????{number}" for number in range(100)),
        " OR ".join(f"NOT name != *a????????{number}" for number in range(100)),
    ],
)
def test_they_are_added_up_wherever_they_stand(query: str) -> None:
    with pytest.raises(TooComplex):
        translate(query, _CATALOGUE)


@pytest.mark.parametrize(
    "pattern", ["a.{11}#", "a...........#", "a(.){11}#", "a([^b]|b){11}#", r"a[\w\W]{11}#", r"a.{5}[\s\S]{6}#"]
)
def test_a_regular_expression_costs_the_same_however_it_is_written(pattern: str) -> None:
    with pytest.raises(TooComplex):
        translate(_any_of(f"~ /{pattern}/", 10), _CATALOGUE)
