"""Generated trees, texts and mappings of the query language."""

from hypothesis import strategies as st

from translator.nodes import And, Comparison, Name, Node, Not, Operator, Or, Scope, Value, Wildcard

# Half of a surrogate pair is no character; everything else may stand in a quoted name or value.
characters = st.characters(exclude_categories=["Cs"])
_awkward = st.sampled_from(
    [*"\"'\\/*?=<>!~(){},.:-@ \t\n\u00a0", "and", "OR", "not", "in", "é", "漢", "👩‍💻", "\u0301", "א"]
)
_texts = st.lists(st.one_of(_awkward, characters, st.text("abz019", max_size=4)), max_size=6).map("".join)

names = st.builds(Name, st.one_of(_texts, st.from_regex(r"[a-zA-Z_@][\w\-]{0,8}(\.[a-z]{1,3})?", fullmatch=True)))


def _merged(parts: list[str | Wildcard]) -> tuple[str | Wildcard, ...]:
    """Parts as the grammar makes them: neighbouring text joined, no empty text, one `*` for several."""
    merged: list[str | Wildcard] = []
    for part in parts:
        if part == "" or (part is Wildcard.ANY and merged[-1:] == [Wildcard.ANY]):
            continue
        if isinstance(part, str) and merged and isinstance(last := merged[-1], str):
            merged[-1] = last + part
        else:
            merged.append(part)
    return tuple(merged)


values = st.builds(Value, st.lists(st.one_of(_texts, st.sampled_from(Wildcard)), max_size=4).map(_merged))
_SOME = values.filter(lambda value: not value.is_anything)
_patterns = st.from_regex(r"\^?(([a-c.]|\\[./d]|[a-c]\+|\([ab]\|c\)|[x-z_-]){1,5}\|?[ab]{1,2})\$?", fullmatch=True)

comparisons = st.one_of(
    st.builds(
        Comparison,
        names,
        st.sampled_from([Operator.EQUAL, Operator.CONTAINS]),
        st.tuples(_SOME),
    ),
    st.builds(
        Comparison,
        names,
        st.sampled_from([Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL]),
        st.tuples(values),
    ),
    st.builds(Comparison, names, st.just(Operator.MATCHES), st.tuples(_patterns.map(lambda text: Value((text,))))),
    st.builds(Comparison, names, st.just(Operator.IN), st.lists(values, min_size=1, max_size=4).map(tuple)),
    st.builds(Comparison, names, st.just(Operator.BETWEEN), st.tuples(values, values)),
    st.builds(Comparison, names, st.just(Operator.EXISTS), st.just(())),
)


def conjunction(nodes: list[Node]) -> Node:
    """AND of nodes, as the grammar makes it."""
    children = [child for node in nodes for child in (node.children if isinstance(node, And) else (node,))]
    return And(tuple(children)) if len(children) > 1 else children[0]


def disjunction(nodes: list[Node]) -> Node:
    """OR of nodes, as the grammar makes it."""
    children = [child for node in nodes for child in (node.children if isinstance(node, Or) else (node,))]
    return Or(tuple(children)) if len(children) > 1 else children[0]


def negation(node: Node) -> Node:
    """NOT of a node, as the grammar makes it."""
    return node.child if isinstance(node, Not) else Not(node)


def _compound(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(children, min_size=2, max_size=4)
    return st.one_of(
        several.map(conjunction), several.map(disjunction), children.map(negation), st.builds(Scope, names, children)
    )


trees: st.SearchStrategy[Node] = st.recursive(comparisons, _compound, max_leaves=12)

_WORDS = [
    *["AND", "or", "NOT", "in", "Between", "exists", "(", ")", "{", "}", ":{", ",", "=", "!=", "<", ">=", "~", "!~"],
    *["/a.*/", "/(/", "name", '"quoted name"', "Ip", "10.0.0.0/8", "a*", "'x'", '"', "'", "\\", "\n", "👩‍💻", "é"],
]
# Nearly queries: the words of the language in any order.
broken = st.lists(st.one_of(st.sampled_from(_WORDS), _texts), max_size=14).map(" ".join)
