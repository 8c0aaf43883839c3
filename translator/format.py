"""Formatter: one canonical text for each tree, which reads back as the same tree."""

from translator import tokens
from translator.nodes import And, Comparison, Everything, Node, Not, Operator, Or, Query, Scope

# Plain text: formatting an enumeration's member costs more than the rest of a comparison.
_SIGNS: dict[Operator, str] = {
    operator: operator.value
    for operator in (
        Operator.EQUAL,
        Operator.CONTAINS,
        Operator.LESS,
        Operator.LESS_OR_EQUAL,
        Operator.GREATER,
        Operator.GREATER_OR_EQUAL,
    )
}


def format(query: Query) -> str:  # pylint: disable=redefined-builtin  # the language's own word for it
    """Write a tree as a query."""
    if isinstance(query, Everything):
        return ""
    out: list[str] = []
    # Parts still to be written, the next last: text as it is, and nodes.
    todo: list[str | Node] = [query]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            out.append(item)
        elif isinstance(item, Comparison):
            out.append(_comparison(item, negated=False))
        elif isinstance(item, Scope):
            todo += ["}", item.child, f"{tokens.write_field(item.name.path)}:{{"]
        elif isinstance(item, Not):
            if isinstance(item.child, Comparison):
                out.append(_comparison(item.child, negated=True))
            else:
                todo += (")", item.child, "(", "NOT ") if isinstance(item.child, (And, Or)) else (item.child, "NOT ")
        else:
            word, bracketed = (" AND ", (Or,)) if isinstance(item, And) else (" OR ", ())
            for child in reversed(item.children):
                todo += (")", child, "(", word) if isinstance(child, bracketed) else (child, word)
            todo.pop()
    return "".join(out)


def _comparison(comparison: Comparison, *, negated: bool) -> str:
    field = tokens.write_field(comparison.name.path)
    operator = comparison.operator
    sign = _SIGNS.get(operator)
    if sign is not None:
        text = tokens.write_value(comparison.values[0].parts)
        if not negated:
            return f"{field} {sign} {text}"
        return f"{field} !{sign} {text}" if sign in "=~" else f"NOT {field} {sign} {text}"
    if operator is Operator.MATCHES:
        return f"{field} {'!~' if negated else '~'} /{comparison.values[0].text}/"
    word = f"NOT {operator}" if negated else operator.value
    values = [tokens.write_value(value.parts) for value in comparison.values]
    if operator is Operator.IN:
        return f"{field} {word} ({', '.join(values)})"
    return " ".join([field, word, " AND ".join(values)] if values else [field, word])
