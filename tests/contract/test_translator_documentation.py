"""Every example of docs/query-language.md does what the page says."""

import re

import pytest

from elastic.bootstrap import templates
from tests.support.paths import ROOT
from translator import limits
from translator.catalogue import Catalogue
from translator.dsl import translate
from translator.errors import QueryError

_PAGE = (ROOT / "docs" / "query-language.md").read_text(encoding="utf-8")
_CATALOGUE = Catalogue.from_mappings({"devices": templates()["devices"]["template"]["mappings"]})


def _examples(kind: str) -> list[str]:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", _PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def _translated_tables() -> list[str]:
    """The queries in the last columns of the tables for those who come from elsewhere."""
    rows = re.findall(r"^\| .* \| `([^`|]+)`[^|]*\|$", _PAGE[_PAGE.index("## Coming from") :], re.MULTILINE)
    return [row for row in rows if row]


@pytest.mark.parametrize("text", [*_examples("query"), *_translated_tables()])
def test_an_example_is_a_query(text: str) -> None:
    assert translate(text, _CATALOGUE).query


@pytest.mark.parametrize("text", _examples("rejected"))
def test_an_example_of_an_error_is_rejected(text: str) -> None:
    with pytest.raises(QueryError):
        translate(text, _CATALOGUE)


def test_the_picture_of_an_error_is_the_real_one() -> None:
    with pytest.raises(QueryError) as raised:
        translate("Hostnme = octoxlabs* AND Ip = 10.0.0.0/8", _CATALOGUE)
    assert "\n".join(f"    {line}" for line in str(raised.value).splitlines()) in _PAGE


def test_every_limit_is_told() -> None:
    numbers = {value for name, value in vars(limits).items() if name.startswith("MAX_")}
    assert len(numbers) == 11
    assert not [number for number in numbers if f"{number:,}" not in _PAGE]


def test_there_are_examples_of_each_kind() -> None:
    assert len(_examples("query")) > 30
    assert len(_examples("rejected")) > 10
    assert len(_translated_tables()) > 15
