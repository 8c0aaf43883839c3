"""Nodes to text: one canonical text for each tree, which reads back as the same tree."""

from translator import lexis
from translator.nodes import And, Comparison, Everything, Node, Not, Operator, Or, Query, Scope

_OPEN_OPERATORS = (Operator.IN, Operator.BETWEEN, Operator.EXISTS)


def format(query: Query) -> str:  # pylint: disable=redefined-builtin  # the language's own word for it
    """Write a tree as a query."""
    if isinstance(query, Everything):
        return ""
    out: list[str] = []
    # What is still to be written, the next last: text as it is, and nodes.
    todo: list[str | Node] = [query]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            out.append(item)
        elif isinstance(item, Comparison):
            out.append(_comparison(item, negated=False))
        elif isinstance(item, Scope):
            todo += ["}", item.child, f"{lexis.write_field(item.name.path)}:{{"]
        elif isinstance(item, Not):
            if isinstance(item.child, Comparison):
                out.append(_comparison(item.child, negated=True))
            else:
                todo += [*reversed(_bracketed(item.child, (And, Or))), "NOT "]
        else:
            word, inner = (" AND ", (Or,)) if isinstance(item, And) else (" OR ", ())
            pieces: list[str | Node] = []
            for child in item.children:
                pieces += [word, *_bracketed(child, inner)]
            todo += reversed(pieces[1:])
    return "".join(out)


def _bracketed(node: Node, kinds: tuple[type, ...]) -> list[str | Node]:
    return ["(", node, ")"] if isinstance(node, kinds) else [node]


def _comparison(comparison: Comparison, *, negated: bool) -> str:
    field = lexis.write_field(comparison.name.path)
    operator = comparison.operator
    if operator in _OPEN_OPERATORS:
        word = f"NOT {operator}" if negated else operator.value
        values = [lexis.write_value(value.parts) for value in comparison.values]
        if operator is Operator.IN:
            return f"{field} {word} ({', '.join(values)})"
        return " ".join([field, word, " AND ".join(values)] if values else [field, word])
    value = comparison.values[0]
    if operator is Operator.MATCHES:
        return f"{field} {'!~' if negated else '~'} /{value.text}/"
    text = lexis.write_value(value.parts)
    if not negated:
        return f"{field} {operator} {text}"
    if operator is Operator.EQUAL or operator is Operator.CONTAINS:
        return f"{field} !{operator} {text}"
    return f"NOT {field} {operator} {text}"
