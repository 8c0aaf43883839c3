"""Query DSL of a tree: the simplest Elasticsearch query.

Everything is in filter context: AND is `bool.filter`, OR `bool.should`, NOT `bool.must_not`. The same tree and
catalogue always give the same query, byte for byte, so that Elasticsearch's caches work.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from translator.catalogue import Catalogue, Family, Field
from translator.comparisons import Query, alternatives, existence, too_many_clauses
from translator.errors import QueryError, TooComplex, UnknownField, UnsupportedOperator, quoted, shown
from translator.grammar import parse
from translator.limits import MAX_CLAUSES, MAX_COMPOUND_DEPTH
from translator.nodes import And, Comparison, Everything, Name, Node, Not, Operator, Or, Scope
from translator.nodes import Query as Tree
from translator.notices import Compared, Notice, notices
from translator.patterns import MAX_COST, cost


class Translation(NamedTuple):
    """Result of a translation.

    Attributes:
        tree: the query as nodes.
        query: the same as Elasticsearch Query DSL.
        fields: paths of the fields that it names, each once, in the order of the text.
        notices: what the query probably does not mean.
    """

    tree: Tree
    query: Query
    fields: tuple[str, ...]
    notices: tuple[Notice, ...] = ()


def translate(text: str, catalogue: Catalogue, *, case_insensitive: bool = False) -> Translation:
    """Translate a query.

    Args:
        text: what a person typed.
        catalogue: the fields of the index that is searched.
        case_insensitive: whether the case of letters in values of string fields does not count.

    Raises:
        QueryError: the query is rejected; one of its subclasses says why.
    """
    tree = parse(text)
    if isinstance(tree, Everything):
        return Translation(tree, {"match_all": {}}, ())
    builder = _Builder(catalogue, case_insensitive)
    try:
        query = builder.build(tree)
    except QueryError as error:
        error.text = text
        raise
    found = notices(text, builder.compared)
    if found:
        found = tuple(_with_suggestion_that_works(text, each, catalogue, case_insensitive) for each in found)
    return Translation(tree, query, tuple(builder.fields), found)


def _with_suggestion_that_works(text: str, notice: Notice, catalogue: Catalogue, case_insensitive: bool) -> Notice:
    """Leave a suggestion out that would be an error in its place."""
    if notice.suggestion is None:
        return notice
    try:
        tree = parse(text[: notice.position] + notice.suggestion + text[notice.end :])
        if not isinstance(tree, Everything):
            _Builder(catalogue, case_insensitive).build(tree)
    except QueryError:
        return notice._replace(suggestion=None)
    return notice


_Part: TypeAlias = tuple[list[Query], list[Query] | None, int]
"""Outcome of a node before its place is known: with None second, documents that match any of the queries; with
a list second, those that match all of the queries and none of that list. Last, how many compound queries deep the
deepest of them is. Plain tuples: one is made for every comparison."""


@dataclass(frozen=True, slots=True)
class _Context:
    """The nested object that names are relative to: its path, and that with a dot; both empty at the top."""

    path: str = ""
    prefix: str = ""


_TOP = _Context()
_Frame: TypeAlias = tuple[Node, _Context, Iterator[Node], list[_Part]]
"""A node whose children are being built: it, the context of the children, those to come and what the others became."""


# Looking an enumeration's member up costs more than comparing it does.
_EQUAL, _IN, _EXISTS = Operator.EQUAL, Operator.IN, Operator.EXISTS


@dataclass(slots=True)
class _Merged(Comparison):  # type: ignore[misc]  # nodes are frozen for the type checker alone
    """An `IN` made of several comparisons."""

    of: tuple[Comparison, ...] = ()


_TURNED = {
    Operator.EQUAL: "=",
    Operator.LESS: ">",
    Operator.LESS_OR_EQUAL: ">=",
    Operator.GREATER: "<",
    Operator.GREATER_OR_EQUAL: "<=",
}


class _Builder:  # pylint: disable=too-few-public-methods  # one build, and what it gathers on the way
    def __init__(self, catalogue: Catalogue, case_insensitive: bool) -> None:
        self.catalogue = catalogue
        self.case_insensitive = case_insensitive
        self.fields: dict[str, None] = {}
        self.compared: list[Compared] = []
        self.clauses = 0
        self.cost = 0

    def build(self, root: Node) -> Query:
        """The query of a whole tree, without recursion."""
        if isinstance(root, Comparison):
            return _rendered(self._comparison(root, _TOP), root)[0]
        frames = [self._frame(root, _TOP)]
        while True:
            node, context, children, parts = frames[-1]
            for child in children:
                if isinstance(child, Comparison):
                    parts.append(self._comparison(child, context))
                else:
                    frames.append(self._frame(child, context))
                    break
            else:
                part = _combined(node, parts, context)
                frames.pop()
                if not frames:
                    return _rendered(part, node)[0]
                frames[-1][-1].append(part)

    def _frame(self, node: Node, context: _Context) -> _Frame:
        if isinstance(node, And):
            return node, context, iter(node.children), []
        if isinstance(node, Or):
            return node, context, iter(_folded(node.children)), []
        if isinstance(node, Scope):
            path = self._scope(node.name, context)
            return node, _Context(path, f"{path}."), iter((node.child,)), []
        return node, context, iter((node.child,) if isinstance(node, Not) else ()), []

    def _comparison(self, comparison: Comparison, context: _Context) -> _Part:
        try:
            field = self.catalogue.resolve(comparison.name, context.prefix)
        except UnknownField as error:
            raise self._turned_round(comparison, context) or error from None
        self.fields[field.path] = None
        for each in comparison.of if isinstance(comparison, _Merged) else (comparison,):
            self.compared.append((each, field))
        depth = 0
        if comparison.operator is _EXISTS and (field.nested_below or len(field.places) > 1):
            queries, depth = _existence(field, comparison, context.path)
            self._count(queries, comparison)
            return queries, None, depth
        queries = alternatives(comparison, field, case_insensitive=self.case_insensitive)
        if field.keyword is not None and "bool" in queries[-1]:
            depth = _checked(1, comparison)
        self._count(queries, comparison)
        if field.is_alias and field.keyword is not None and comparison.operator is not _EXISTS:
            # The sub-field is asked by its own name, which documents without the alias have as well.
            asked, depth = _rendered((queries, None, depth), comparison)
            queries = [{"bool": {"filter": [asked, {"exists": {"field": field.path}}]}}]
            depth = _checked(depth + 1, comparison)
        if not field.nested or field.nested[-1] == context.path:
            return queries, None, depth
        if context.path and context.path not in field.nested:
            raise _outside(field, context.path, comparison)
        return _nested(field.nested[-1], (queries, None, depth), comparison)

    def _turned_round(self, comparison: Comparison, context: _Context) -> UnknownField | None:
        """The error of a comparison whose value is a field, `5 < RiskScore`."""
        sign = _TURNED.get(comparison.operator)
        field = comparison.values[0].text if sign else None
        if not field or f"{context.prefix}{field}" not in self.catalogue.fields:
            return None
        name = comparison.name
        message = f"unknown field {quoted(name.path)}; the field comes first: {shown(field)} {sign} {shown(name.path)}"
        return UnknownField(message, name.position, name.end)

    def _count(self, queries: list[Query], comparison: Comparison) -> None:
        self.clauses += len(queries)
        if self.clauses > MAX_CLAUSES:
            raise too_many_clauses(comparison)
        for number, query in enumerate(queries):
            self.cost += cost(query)
            if self.cost > MAX_COST:
                raise _too_costly(comparison, queries[:number])

    def _scope(self, name: Name, context: _Context) -> str:
        field = self.catalogue.resolve(name, context.prefix)
        problem = field.problem
        if not problem and field.family is not Family.NESTED:
            reason = "its fields are not kept together" if field.family is Family.OBJECT else "it has no fields below"
            path = quoted(field.path)
            problem = f"{path} is of type {field.type}, not nested: {reason}; write {name.path}.… = … with AND"
        if problem:
            raise UnsupportedOperator(problem, name.position, name.end)
        return field.path


def _too_costly(comparison: Comparison, before: list[Query]) -> TooComplex:
    # Different values with wildcards of an IN become a query each, in their order.
    patterns = [value for value in dict.fromkeys(comparison.values) if value.text is None]
    number = sum("wildcard" in query or "prefix" in query for query in before)
    where = patterns[number] if comparison.operator is _IN else comparison.values[0]
    message = (
        "with this, the patterns of the query cost Elasticsearch too much; ask with fewer of them, start them with "
        "text instead of *, and write fewer ? (or repetitions in a regular expression) behind a *"
    )
    return TooComplex(message, where.position, where.end)


def _outside(field: Field, path: str, comparison: Comparison) -> UnsupportedOperator:
    message = f"{quoted(field.path)} is not part of the nested object {quoted(path)}"
    return UnsupportedOperator(message, comparison.name.position, comparison.name.end)


def _existence(field: Field, comparison: Comparison, within: str) -> tuple[list[Query], int]:
    """The queries for a field that is nested in some indices alone, or that has nested objects below, and their depth.

    An object has a value where any field below has one; nested objects below are documents of their own.
    """
    queries: list[Query] = []
    deepest = 0
    for place in field.places:
        if within and within not in place:
            continue
        here, depth = [existence(field, comparison)], 0
        for below in field.nested_below:
            part = _existence(below, comparison, place[-1] if place else "")
            query, inner = _rendered((part[0], None, part[1]), comparison)
            here.append(query)
            depth = max(depth, inner)
        if place and place[-1] != within:
            here, _, depth = _nested(place[-1], (here, None, depth), comparison)
        queries += here
        deepest = max(deepest, depth)
    if not queries:
        raise _outside(field, within, comparison)
    return queries, deepest


def _folded(children: tuple[Node, ...]) -> Sequence[Node]:
    """Alternatives with `=` and `IN` on one field made one `IN`, where the first of them stands."""
    paths = [
        child.name.path
        for child in children
        if isinstance(child, Comparison) and (child.operator is _EQUAL or child.operator is _IN)
    ]
    if len(set(paths)) == len(paths):
        return children
    folded: list[Node] = []
    first_of: dict[str, int] = {}
    same_as: dict[int, list[Comparison]] = {}
    for child in children:
        if isinstance(child, Comparison) and (child.operator is _EQUAL or child.operator is _IN):
            at = first_of.setdefault(child.name.path, len(folded))
            same = same_as.setdefault(at, [])
            same.append(child)
            if len(same) > 1:
                continue
        folded.append(child)
    for at, same in same_as.items():
        if len(same) > 1:
            values = tuple(value for comparison in same for value in comparison.values)
            first = same[0]
            # pylint: disable-next=too-many-function-args,redundant-keyword-arg  # it does not see that nodes are dataclasses
            folded[at] = _Merged(first.name, Operator.IN, values, first.position, first.end, of=tuple(same))
    return folded


def _combined(node: Node, parts: list[_Part], context: _Context) -> _Part:
    if isinstance(node, And):
        return _all_of(node, parts)
    if isinstance(node, Or):
        return _any_of(node, parts)
    if isinstance(node, Scope):
        return _nested(context.path, parts[0], node)
    queries, excluded, depth = parts[0]
    if excluded is None:
        return [], queries, depth
    if not queries:
        return excluded, None, depth
    query, depth = _rendered(parts[0], node)
    return [], [query], depth


def _all_of(node: Node, parts: list[_Part]) -> _Part:
    queries: list[Query] = []
    excluded: list[Query] = []
    deepest = 0
    for part in parts:
        if part[1] is None:
            query, depth = _rendered(part, node)
            queries.append(query)
        else:
            queries += part[0]
            excluded += part[1]
            depth = part[2]
        deepest = max(deepest, depth)
    return queries, excluded, deepest


def _any_of(node: Node, parts: list[_Part]) -> _Part:
    queries: list[Query] = []
    deepest = 0
    for part in parts:
        if part[1] is None:
            queries += part[0]
            depth = part[2]
        else:
            query, depth = _rendered(part, node)
            queries.append(query)
        deepest = max(deepest, depth)
    return queries, None, deepest


def _nested(path: str, part: _Part, node: Node) -> _Part:
    query, depth = _rendered(part, node)
    # An index behind the same alias or pattern may lack the object: none of its documents match, then.
    nested = {"path": path, "query": query, "ignore_unmapped": True}
    return [{"nested": nested}], None, _checked(depth + 1, node)


def _rendered(part: _Part, node: Node) -> tuple[Query, int]:
    """One query for a part, and how many compound queries deep it is."""
    queries, excluded, depth = part
    if len(queries) == 1 and not excluded:
        return queries[0], depth
    if excluded is None:
        return {"bool": {"should": queries, "minimum_should_match": 1}}, _checked(depth + 1, node)
    clauses: Query = {}
    if queries:
        clauses["filter"] = queries
    if excluded:
        clauses["must_not"] = excluded
    return {"bool": clauses}, _checked(depth + 1, node)


def _checked(depth: int, node: Node) -> int:
    if depth > MAX_COMPOUND_DEPTH:
        message = f"the query is more than {MAX_COMPOUND_DEPTH} levels deep, counting AND, OR, NOT and nested objects"
        raise TooComplex(message, node.position, node.end)
    return depth
