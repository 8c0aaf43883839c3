"""Shape of a query, its text without its literals, and the fields that it names."""

from functools import lru_cache
from typing import NamedTuple

from translator.errors import QueryError
from translator.format import format as write
from translator.grammar import parse
from translator.nodes import Comparison, Everything, Name, Node, Not, Operator, Query, Scope, Value, Wildcard

_MAX_KEPT_CHARACTERS = 512
_KEPT = 16_384
_LITERAL = (Value((Wildcard.ONE,)),)
_RANGE = _LITERAL * 2
_EXPRESSION = (Value(("?",)),)


class Shape(NamedTuple):
    """A query with ``?`` for each literal, and the paths of the fields in it, each once; None where it has neither."""

    text: str | None
    fields: tuple[str, ...] | None


NO_SHAPE = Shape(None, None)
"""Shape of a text that is no query."""


def shape(query: str) -> Shape:
    """Find the shape of a query; queries that differ only in literals, brackets or spaces have the same."""
    return _kept(query) if len(query) <= _MAX_KEPT_CHARACTERS else _shape(query)


def _shape(query: str) -> Shape:
    try:
        tree = parse(query)
    except QueryError:
        return NO_SHAPE
    fields: dict[str, None] = {}
    return Shape(write(_without_literals(tree, "", fields)), tuple(fields))


_kept = lru_cache(maxsize=_KEPT)(_shape)


def _without_literals(tree: Query, prefix: str, fields: dict[str, None]) -> Query:
    return tree if isinstance(tree, Everything) else _node(tree, prefix, fields)


def _node(node: Node, prefix: str, fields: dict[str, None]) -> Node:
    """Copy a part of the tree, and note its fields; as deep as the grammar lets brackets be."""
    if isinstance(node, Comparison):
        fields[prefix + node.name.path] = None
        return Comparison(node.name, node.operator, _literals(node))
    if isinstance(node, Scope):
        return Scope(Name(node.name.path), _node(node.child, f"{prefix}{node.name.path}.", fields))
    if isinstance(node, Not):
        return Not(_node(node.child, prefix, fields))
    return type(node)(tuple(_node(child, prefix, fields) for child in node.children))


def _literals(comparison: Comparison) -> tuple[Value, ...]:
    match comparison.operator:
        case Operator.EXISTS:
            return ()
        case Operator.BETWEEN:
            return _RANGE
        case Operator.MATCHES:
            return _EXPRESSION
    return _LITERAL
