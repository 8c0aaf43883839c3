"""Properties of every query over every mapping, from the text to Elasticsearch's query."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.paths import ROOT
from tests.support.reference import fields_of
from tests.support.strategies import World, worlds
from translator.catalogue import Catalogue
from translator.dsl import translate
from translator.errors import QueryError, TooComplex
from translator.format import format as write
from translator.grammar import parse
from translator.limits import MAX_CHARACTERS, MAX_CLAUSES, MAX_COMPOUND_DEPTH, MAX_MEMBERS
from translator.nodes import And, Comparison, Name, Node, Not, Or, Scope

_LEAVES = {"term", "terms", "prefix", "wildcard", "regexp", "range", "exists", "match_phrase"}

_slowly = settings(
    # A world is large and takes a moment to make; to make a smaller one that fails takes longer than a test may.
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    max_examples=25,
)
_worlds = worlds(questions=3)


def _translated(world: World) -> Iterator[tuple[Node, dict[str, Any]]]:
    catalogue = Catalogue.from_mappings({"index": world.mapping})
    for question in world.questions:
        yield question.tree, translate(write(question.tree), catalogue).query


def _leaves(query: dict[str, Any], depth: int = 0) -> Iterator[tuple[str, dict[str, Any], int]]:
    """The leaf queries: name, body, and how many compound queries they are in."""
    ((name, body),) = query.items()
    if name == "nested":
        assert set(body) == {"path", "query", "ignore_unmapped"}
        yield from _leaves(body["query"], depth + 1)
    elif name == "bool":
        for child in _children(body):
            yield from _leaves(child, depth + 1)
    elif query != {"match_none": {}}:  # which names no field
        yield name, body, depth


def _children(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [*body.get("filter", []), *body.get("should", []), *body.get("must_not", [])]


def _queries(query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A query and all queries in it."""
    yield query
    for child in _children(query.get("bool", {})):
        yield from _queries(child)
    if "nested" in query:
        yield from _queries(query["nested"]["query"])


@_slowly
@given(_worlds)
def test_only_plain_queries_on_fields_that_exist_come_out(world: World) -> None:
    known = {found.path: found for found in fields_of(world.mapping["properties"])}
    for _, query in _translated(world):
        for name, body, depth in _leaves(query):
            assert name in _LEAVES
            assert depth <= MAX_COMPOUND_DEPTH
            (path,) = [body["field"]] if name == "exists" else body
            assert path in known or any(
                root.type == "flattened" and path.startswith(f"{root.path}.") for root in known.values()
            )
        assert sum(1 for _ in _leaves(query)) <= MAX_CLAUSES


@_slowly
@given(_worlds)
def test_no_compound_query_is_there_for_nothing(world: World) -> None:
    for _, query in _translated(world):
        for inner in _queries(query):
            if body := inner.get("bool"):
                assert set(body) <= {"filter", "must_not"} or (set(body), body["minimum_should_match"]) == (
                    {"should", "minimum_should_match"},
                    1,
                )
                assert len(_children(body)) > 1 or "must_not" in body
                assert all(body[occur] for occur in body)
                # AND in AND, and OR in OR, are one.
                assert not any({"filter"} == set(child.get("bool", ())) for child in body.get("filter", ()))
                assert not any("should" in child.get("bool", ()) for child in body.get("should", ()))


def _atoms(query: dict[str, Any]) -> list[bytes]:
    """The conditions of a query, its structure apart; `terms` asks for one of several terms."""
    found: dict[bytes, None] = {}
    for name, body, _ in _leaves(query):
        if name == "terms":
            ((path, values),) = body.items()
            found |= dict.fromkeys(orjson.dumps({"term": {path: value}}) for value in values)
        else:
            found[orjson.dumps({name: body})] = None
    return list(found)


def _with_existence(true: set[bytes], atoms: list[bytes]) -> set[bytes]:
    """These and the existences among the atoms that follow from them: a field with a value exists."""
    existences = {atom: orjson.loads(atom)["exists"]["field"] for atom in atoms if atom.startswith(b'{"exists"')}
    paths = [path for atom in true - existences.keys() for (path,) in orjson.loads(atom).values()]
    # A value of a sub-field, or of an object's member, is one of the field above it as well.
    return true | {
        atom
        for atom, field in existences.items()
        if any(path == field or path.startswith(f"{field}.") for path in paths)
    }


def _some_of(atoms: list[bytes]) -> st.SearchStrategy[set[bytes]]:
    """The conditions that hold of a document; empty for a query that asks nothing of documents."""
    return st.sets(st.sampled_from(atoms)).map(lambda true: _with_existence(true, atoms)) if atoms else st.just(set())


def _truth(query: dict[str, Any], true: set[bytes]) -> bool:
    """Whether a query finds a document with one nested object a path, of which the true atoms hold."""
    ((name, body),) = query.items()
    if name == "nested":
        return _truth(body["query"], true)
    if name == "bool":
        some = body.get("should")
        return (
            all(_truth(child, true) for child in body.get("filter", ()))
            and (not some or any(_truth(child, true) for child in some))
            and not any(_truth(child, true) for child in body.get("must_not", ()))
        )
    return any(atom in true for atom in _atoms(query))


def _meaning(tree: Node, within: str, catalogue: Catalogue, true: set[bytes]) -> bool:
    """The same of a tree, of which each comparison is translated by itself."""
    if isinstance(tree, And):
        return all(_meaning(child, within, catalogue, true) for child in tree.children)
    if isinstance(tree, Or):
        return any(_meaning(child, within, catalogue, true) for child in tree.children)
    if isinstance(tree, Not):
        return not _meaning(tree.child, within, catalogue, true)
    path = f"{within}{tree.name.path}"
    if isinstance(tree, Scope):
        return _meaning(tree.child, f"{path}.", catalogue, true)
    alone = Comparison(Name(path), tree.operator, tree.values)
    return _truth(translate(write(alone), catalogue).query, true)


@_slowly
@given(_worlds, st.data())
def test_the_query_has_the_logic_of_the_tree(world: World, data: st.DataObject) -> None:
    catalogue = Catalogue.from_mappings({"index": world.mapping})
    for tree, query in _translated(world):
        for _ in range(4):
            true = data.draw(_some_of(_atoms(query)))
            assert _truth(query, true) is _meaning(tree, "", catalogue, true)


@_slowly
@given(_worlds, st.data())
def test_de_morgan_holds(world: World, data: st.DataObject) -> None:
    catalogue = Catalogue.from_mappings({"index": world.mapping})
    one, other = (write(question.tree) for question in world.questions[:2])
    for operator, dual in (("AND", "OR"), ("OR", "AND")):
        texts = (f"NOT (({one}) {operator} ({other}))", f"NOT ({one}) {dual} NOT ({other})")
        left, right = (translate(text, catalogue).query for text in texts)
        true = data.draw(_some_of(_atoms(right)))
        asked, apart = set(_atoms(left)), set(_atoms(right))
        # Under one OR a field's values are looked at together, and beside its existence they say no more.
        said_already = {atom for atom in apart if operator == "OR" and _with_existence({atom}, [*asked]) != {atom}}
        assert asked <= apart <= asked | said_already
        assert _truth(left, true) is _truth(right, true)


_SPACES = st.text(" \t\r\n\u00a0\u2003\u3000", max_size=3)


class _Scribe:  # pylint: disable=too-few-public-methods  # one text is all that it is asked for
    """Writes trees as people might: any white space, any case of keywords, brackets and NOT NOT that mean nothing."""

    def __init__(self, data: st.DataObject) -> None:
        self._draw = data.draw

    def written(self, tree: Node) -> str:
        """The tree in brackets, with more than is needed."""
        inner = self._plain(tree)
        for _ in range(self._draw(st.integers(0, 2))):
            inner = f"({self._space()}{inner}{self._space()})"
        if self._draw(st.integers(0, 4)) == 4:
            inner = f"{self._keyword('NOT')}{self._keyword('NOT')}({inner})"
        return f"{self._space()}({inner}){self._space()}"

    def _plain(self, tree: Node) -> str:
        if isinstance(tree, And | Or):
            keyword = "AND" if isinstance(tree, And) else "OR"
            first, *others = tree.children
            return self.written(first) + "".join(self._keyword(keyword) + self.written(other) for other in others)
        if isinstance(tree, Not):
            return self._keyword("NOT") + self.written(tree.child)
        if isinstance(tree, Scope):
            return f"{tree.name.path}{self._space()}:{self._space()}{{{self.written(tree.child)}}}"
        return write(tree)

    def _keyword(self, word: str) -> str:
        letters = self._draw(st.tuples(*(st.sampled_from([letter, letter.lower()]) for letter in word)))
        return f" {self._space()}{''.join(letters)} {self._space()}"

    def _space(self) -> str:
        return self._draw(_SPACES)


@_slowly
@given(_worlds, st.data())
def test_white_space_brackets_case_and_double_negation_change_no_byte(world: World, data: st.DataObject) -> None:
    catalogue = Catalogue.from_mappings({"index": world.mapping})
    scribe = _Scribe(data)
    for question in world.questions:
        plain, ornate = (translate(text, catalogue) for text in (write(question.tree), scribe.written(question.tree)))
        assert orjson.dumps(plain.query) == orjson.dumps(ornate.query)
        assert plain.tree == ornate.tree


@_slowly
@given(_worlds, st.data())
def test_a_damaged_query_is_a_query_or_an_error_inside_it(world: World, data: st.DataObject) -> None:
    catalogue = Catalogue.from_mappings({"index": world.mapping})
    for question in world.questions:
        text = write(question.tree)
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 6))
        damaged = (
            text[:start] + data.draw(st.text("(){}=<>!~,/\\\"'*? \n|&:x0é\u0301👩🏽א\ud800", max_size=3)) + text[end:]
        )
        try:
            translate(damaged, catalogue, case_insensitive=question.case_insensitive)
        except QueryError as error:
            assert 0 <= error.position <= error.end <= len(damaged)
            assert error.code in ("syntax", "unknown_field", "unsupported_operator", "type_mismatch", "too_complex")
            assert error.as_dict()["caret"] == error.caret
            assert error.line <= damaged.count("\n") + 1


def test_every_process_writes_the_same_bytes() -> None:
    # Whatever were kept in a set would come out in an order that changes from process to process.
    mapping = {"properties": {name: {"type": "keyword"} for name in "abcdef"} | {"n": {"type": "long"}}}
    text = " OR ".join(f"{name} IN (x, {name}*, y) AND n != 1" for name in "fedcba") + " OR n IN (3, 2, 1) OR n = 3"
    line = orjson.dumps({"query": text, "mapping": mapping}) + b"\n"
    answers = {
        subprocess.run(
            [sys.executable, "-m", "translator", "--batch"],
            input=line,
            capture_output=True,
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
    assert b'"query"' in answers.pop()


_MEGABYTES = 10 * 1024 * 1024


def _steps(text: str) -> int:
    """Calls of Python functions that it takes to refuse a text."""
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    # Objects made at their first use, such as patterns, are no step.
    with pytest.raises(QueryError):
        parse(text)
    previous = sys.getprofile()
    # Hypothesis is called at each garbage collection, which is no step of the parser's.
    gc.disable()
    sys.setprofile(count)
    try:
        with pytest.raises(QueryError):
            parse(text)
    finally:
        sys.setprofile(previous)
        gc.enable()
    return calls


_HOSTILE = ["(", "NOT ", "a=", "a=1 ", '"', "'", "\\", "a.", "a:{", "a in (", "x,", "!", "a ~ /", "é", "\n(", "\ud800"]


@pytest.mark.parametrize("word", _HOSTILE)
def test_text_over_the_limit_is_refused_before_it_is_read(word: str) -> None:
    text = word * (_MEGABYTES // len(word))
    assert _steps(text) == _steps("a" * (MAX_CHARACTERS + 1))


@pytest.mark.parametrize("word", _HOSTILE)
def test_refusing_takes_steps_in_proportion_to_the_text(word: str) -> None:
    some, more = (_steps(word * (length // len(word))) for length in (4_096, 32_768))
    assert more <= 9 * some


def test_a_list_is_read_no_further_than_its_limit() -> None:
    some, more = (_steps("a IN (" + "x," * members) for members in (MAX_MEMBERS + 2, 32_000))
    assert some == more


@pytest.mark.parametrize(
    ("member", "case_insensitive"), [("2024-01-{:02}", False), ("name{}", True), ("name{}*", False)], ids=str
)
def test_a_list_with_too_many_clauses_is_refused_before_one_is_made(member: str, case_insensitive: bool) -> None:
    catalogue = Catalogue.from_mappings({"index": {"properties": {"d": {"type": "date"}, "n": {"type": "keyword"}}}})
    text = (
        f"{'d' if '-' in member else 'n'} IN ({','.join(member.format(number) for number in range(MAX_CLAUSES + 1))})"
    )
    made: list[str] = []

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_name == "equal":
            made.append(event)

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        with pytest.raises(TooComplex):
            translate(text, catalogue, case_insensitive=case_insensitive)
    finally:
        sys.setprofile(previous)
    assert not made
