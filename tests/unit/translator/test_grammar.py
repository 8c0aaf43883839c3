"""Text to nodes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.translator.generated import broken, characters, conjunction, disjunction, negation, trees
from translator.errors import QueryError, TooComplex
from translator.format import format as write
from translator.grammar import parse
from translator.nodes import And, Comparison, Everything, Name, Node, Not, Operator, Or, Scope, Value, Wildcard


def _equal(name: str, *parts: str | Wildcard) -> Comparison:
    return Comparison(Name(name), Operator.EQUAL, (Value(parts),))


A, B, C = _equal("a", "1"), _equal("b", "2"), _equal("c", "3")


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0\u2003"])
def test_blank_text_asks_for_everything(text: str) -> None:
    assert parse(text) == Everything()


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a=1", A),
        ("  a\u00a0=\n1\t", A),
        ("a = 1 AND b = 2", And((A, B))),
        ("a = 1 and b = 2 AnD c = 3", And((A, B, C))),
        ("a = 1 OR b = 2 AND c = 3", Or((A, And((B, C))))),
        ("a = 1 AND b = 2 OR c = 3", Or((And((A, B)), C))),
        ("(a = 1 OR b = 2) AND c = 3", And((Or((A, B)), C))),
        ("((a = 1)) AND ((b = 2 AND (c = 3)))", And((A, B, C))),
        ("NOT a = 1 AND b = 2", And((Not(A), B))),
        ("NOT (a = 1 AND b = 2)", Not(And((A, B)))),
        ("NOT NOT a = 1", A),
        ("not(not(not(a = 1)))", Not(A)),
        ("NOT a != 1", A),
        ("NOT (NOT (a = 1 OR b = 2) ) OR c = 3", Or((A, B, C))),
        ("a != 1", Not(A)),
        ("s:{a = 1 AND b = 2}", Scope(Name("s"), And((A, B)))),
        ("NOT s : { NOT a = 1 } AND b = 2", And((Not(Scope(Name("s"), Not(A))), B))),
        ("s:{t:{a=1}}", Scope(Name("s"), Scope(Name("t"), A))),
        ('"x"AND = 1', None),
        ("a = 1 AND(b = 2)", And((A, B))),
        ('a = "1"AND b = 2', And((A, B))),
    ],
)
def test_precedence_brackets_and_negation_make_one_tree(text: str, tree: Node | None) -> None:
    if tree is None:
        with pytest.raises(QueryError):
            parse(text)
    else:
        assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("f < 1", Operator.LESS, [("1",)]),
        ("f<=1", Operator.LESS_OR_EQUAL, [("1",)]),
        ("f>1", Operator.GREATER, [("1",)]),
        ("f >= now-7d/d", Operator.GREATER_OR_EQUAL, [("now-7d/d",)]),
        ("f ~ x", Operator.CONTAINS, [("x",)]),
        ("f~/a\\/b|c d/", Operator.MATCHES, [("a\\/b|c d",)]),
        ("f in(a,b , 'c d')", Operator.IN, [("a",), ("b",), ("c d",)]),
        ("f BETWEEN 1 and 5", Operator.BETWEEN, [("1",), ("5",)]),
        ("f EXISTS", Operator.EXISTS, []),
        ("f = *", Operator.EXISTS, []),
        ("f ~ **", Operator.EXISTS, []),
    ],
)
def test_every_operator_has_its_node(text: str, operator: Operator, values: list[tuple[str, ...]]) -> None:
    assert parse(text) == Comparison(Name("f"), operator, tuple(Value(parts) for parts in values))


@pytest.mark.parametrize("positive", ["f = 1", "f ~ x", "f ~ /x/", "f IN (1, 2)", "f BETWEEN 1 AND 2", "f EXISTS"])
def test_a_negated_operator_is_not_of_its_positive_form(positive: str) -> None:
    for sign, negated in (
        ("=", "!="),
        ("~", "!~"),
        ("IN", "not in"),
        ("BETWEEN", "NOT BETWEEN"),
        ("EXISTS", "not exists"),
    ):
        if sign in positive:
            assert parse(positive.replace(sign, negated, 1)) == parse(f"NOT {positive}")


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("fe80::1", ("fe80::1",)),
        ("10.0.0.0/8", ("10.0.0.0/8",)),
        ("-4", ("-4",)),
        ("or-gw01", ("or-gw01",)),
        ("android", ("android",)),
        ("not-prod", ("not-prod",)),
        ("db--update01", ("db--update01",)),
        ("user@example.org", ("user@example.org",)),
        ("~root", ("~root",)),
        ("a~b!c", ("a~b!c",)),
        ("web*", ("web", Wildcard.ANY)),
        ("*web?1", (Wildcard.ANY, "web", Wildcard.ONE, "1")),
        ("a**b", ("a", Wildcard.ANY, "b")),
        (r"C:\Temp", (r"C:\Temp",)),
        (r"C:\\Temp\\*", ("C:\\Temp\\", Wildcard.ANY)),
        (r"a\*b\?", ("a*b?",)),
        (r"a\ b\=c", ("a b=c",)),
        ("a\\", ("a\\",)),
        (r"\é", (r"\é",)),
        ('"and"', ("and",)),
        ('"env=prod"', ("env=prod",)),
        ('""', ()),
        ("''", ()),
        ('"a*"', ("a*",)),
        (r'"say \"hi\" \\ \n"', (r'say "hi" \ \n',)),
        (r"'it\'s'", ("it's",)),
        ("漢字", ("漢字",)),
    ],
)
def test_a_value_is_literal_and_wildcard_parts(written: str, parts: tuple[str | Wildcard, ...]) -> None:
    assert parse(f"f = {written}") == Comparison(Name("f"), Operator.EQUAL, (Value(parts),))


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("a.b-c.@d", "a.b-c.@d"),
        ('"a b".c', "a b.c"),
        ("x.'y z'", "x.y z"),
        ('"and"', "and"),
        ("or.not", "or.not"),
        ("é", "é"),
    ],
)
def test_a_field_is_names_joined_by_dots(written: str, path: str) -> None:
    assert parse(f"{written} = 1") == _equal(path, "1")


def test_nodes_say_where_they_come_from() -> None:
    text = 'é = 1 OR "👩‍💻" IN (x,  "y z")'
    tree = parse(text)
    assert isinstance(tree, Or)
    second = tree.children[1]
    assert isinstance(second, Comparison)
    assert text[second.name.position : second.name.end] == '"👩‍💻"'
    assert [text[value.position : value.end] for value in second.values] == ["x", '"y z"']
    assert text[second.position : second.end] == '"👩‍💻" IN (x,  "y z")'
    assert (tree.position, tree.end) == (0, len(text))


@given(trees)
def test_a_written_query_reads_back_as_the_same_tree(tree: Node) -> None:
    assert parse(write(tree)) == tree


@given(st.one_of(broken, st.text(characters), st.text()))
@example("\ud800")
@example("a = \u0000")
@example("a in (" + "x," * 9_000 + "x)")
def test_any_text_is_a_tree_or_an_error_inside_it(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert 0 <= error.position <= error.end <= len(text)
        assert error.message
        assert error.code in {"syntax", "too_complex"}
        assert len(error.caret.split("\n")) == 2
        assert error.message != "this is not a query"


@given(trees, trees)
def test_brackets_case_and_double_negation_change_nothing(left: Node, right: Node) -> None:
    one, other = write(left), write(right)
    assert parse(f"(({one}))and({other} )") == conjunction([left, right])
    assert parse(f"( {one}\n)oR(({other}))") == disjunction([left, right])
    assert parse(f"not({one})") == negation(left)
    assert parse(f"NOT NOT ({one})") == left


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("(" * 51 + "a = 1" + ")" * 51, 50),
        ("s:{" * 51 + "a = 1" + "}" * 51, 152),
        (" OR ".join(["a = 1"] * 1_025), 9 * 1_024),
        ("a in (" + "x," * 8_192 + "x)", 6 + 2 * 8_192),
        ("a = " + "x" * 65_533, 65_536),
    ],
)
def test_a_query_over_a_limit_is_refused_where_it_crosses_it(text: str, position: int) -> None:
    with pytest.raises(TooComplex) as raised:
        parse(text)
    assert raised.value.position == position


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50 + "a = 1" + ")" * 50,
        " OR ".join(["a = 1"] * 1_024),
        "a in (" + "x," * 8_191 + "x)",
        "a = " + "x" * 65_532,
        "NOT " * 16_000 + "a = 1",
    ],
)
def test_a_query_at_a_limit_is_read(text: str) -> None:
    assert not isinstance(parse(text), Everything)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "(" * 10_000_000,
            "(" * 65_536,
            '"' * 65_535,
            "a = 1 " * 10_000,
            "a=" * 32_000,
            "NOT " * 16_384,
            "a." * 32_768,
        ],
        *["a in (" + "'," * 32_000, "x ~ /" + "(" * 60_000, "x ~ /" + "a|" * 499 + "/", "\\" * 65_536, "a:{" * 20_000],
        *[" " * 65_535 + "(", "a between " * 6_000, "a in (" + "(" * 60_000, "!" * 65_536],
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)
