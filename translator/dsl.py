"""Nodes and fields to the simplest Elasticsearch query.

Everything is in filter context: AND is `bool.filter`, OR `bool.should`, NOT `bool.must_not`. The same tree and
catalogue always give the same query, byte for byte, so that Elasticsearch's caches work.
"""

from dataclasses import dataclass

from translator.catalogue import Catalogue, Family, Field
from translator.errors import QueryError, TooComplex, UnsupportedOperator, quoted
from translator.grammar import parse
from translator.leaf import Query, alternatives
from translator.limits import MAX_CLAUSES, MAX_COMPOUND_DEPTH
from translator.nodes import And, Comparison, Everything, Name, Node, Not, Operator, Or, Scope, Value
from translator.nodes import Query as Tree


@dataclass(frozen=True, slots=True)
class Translation:
    """What a query became.

    Attributes:
        tree: the query as nodes.
        query: the same as Elasticsearch Query DSL.
        fields: paths of the fields that it names, each once, in the order of the text.
    """

    tree: Tree
    query: Query
    fields: tuple[str, ...]


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
    return Translation(tree, query, tuple(builder.fields))


class _Any:
    """Documents that match any of the queries."""

    __slots__ = ("depth", "queries")

    def __init__(self, queries: list[Query], depth: int) -> None:
        self.queries = queries
        self.depth = depth


class _All:
    """Documents that match all of the queries and none of the excluded ones."""

    __slots__ = ("depth", "excluded", "queries")

    def __init__(self, queries: list[Query], excluded: list[Query], depth: int) -> None:
        self.queries = queries
        self.excluded = excluded
        # Of the deepest query in the lists, without the bool that will hold them.
        self.depth = depth


class _Context:
    """The nested object that the names below a scope are relative to."""

    __slots__ = ("path", "prefix")

    def __init__(self, path: str) -> None:
        self.path = path
        self.prefix = f"{path}." if path else ""


_TOP = _Context("")


class _Builder:
    def __init__(self, catalogue: Catalogue, case_insensitive: bool) -> None:
        self.catalogue = catalogue
        self.case_insensitive = case_insensitive
        self.fields: dict[str, None] = {}
        self.clauses = 0

    def build(self, root: Node) -> Query:
        """The query of a whole tree; children come before their parents, without recursion."""
        if isinstance(root, Comparison):
            return _rendered(self._comparison(root, _TOP), root)[0]
        done: list[_Any | _All] = []
        # A parent is met twice: before its children, then (with its number of children) after them.
        todo: list[tuple[Node, _Context, int]] = [(root, _TOP, 0)]
        while todo:
            node, context, count = todo.pop()
            if isinstance(node, Comparison):
                done.append(self._comparison(node, context))
            elif count:
                children = done[-count:]
                del done[-count:]
                done.append(_combined(node, children, context))
            elif isinstance(node, (And, Or)):
                below = node.children if isinstance(node, And) else _folded(node.children)
                todo.append((node, context, len(below)))
                todo.extend([(child, context, 0) for child in reversed(below)])
            elif isinstance(node, Scope):
                inner = _Context(self._scope(node.name, context))
                todo.append((node, inner, 1))
                todo.append((node.child, inner, 0))
            else:
                todo.append((node, context, 1))
                todo.append((node.child, context, 0))
        return _rendered(done[0], root)[0]

    def _comparison(self, comparison: Comparison, context: _Context) -> _Any:
        field = self._field(comparison.name, context)
        if comparison.operator is Operator.EXISTS and field.family in (Family.OBJECT, Family.NESTED):
            queries, depth = _existence(field, comparison), 2 * len(field.nested_below)
        else:
            queries = alternatives(comparison, field, case_insensitive=self.case_insensitive)
            depth = 0
        self.clauses += len(queries)
        if self.clauses > MAX_CLAUSES:
            message = f"the query needs more than {MAX_CLAUSES:,} clauses; each value with wildcards is one"
            raise TooComplex(message, comparison.position, comparison.end)
        if not field.nested or field.nested[-1] == context.path:
            return _Any(queries, depth)
        if context.path and context.path not in field.nested:
            message = f"{quoted(field.path)} is not part of the nested object {quoted(context.path)}"
            raise UnsupportedOperator(message, comparison.name.position, comparison.name.end)
        inner, depth = _rendered(_Any(queries, depth), comparison)
        return _Any([{"nested": {"path": field.nested[-1], "query": inner}}], depth + 1)

    def _field(self, name: Name, context: _Context) -> Field:
        field = self.catalogue.resolve(name, context.prefix)
        self.fields[field.path] = None
        return field

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


def _existence(field: Field, comparison: Comparison) -> list[Query]:
    """An object has a value where any field below has one; nested objects below are documents of their own."""
    if field.problem:
        raise UnsupportedOperator(field.problem, comparison.name.position, comparison.name.end)
    queries: list[Query] = [{"exists": {"field": field.path}}]
    for below in field.nested_below:
        inner = _existence(below, comparison)
        query = inner[0] if len(inner) == 1 else {"bool": {"should": inner, "minimum_should_match": 1}}
        queries.append({"nested": {"path": below.path, "query": query}})
    return queries


def _folded(children: tuple[Node, ...]) -> list[Node]:
    """Alternatives with `=` and `IN` on one field made one `IN`, where the first of them stands."""
    by_path: dict[str, list[Comparison]] = {}
    for child in children:
        if isinstance(child, Comparison) and (child.operator is Operator.EQUAL or child.operator is Operator.IN):
            by_path.setdefault(child.name.path, []).append(child)
    folded: list[Node] = []
    for child in children:
        if isinstance(child, Comparison) and (child.operator is Operator.EQUAL or child.operator is Operator.IN):
            same = by_path.pop(child.name.path, None)
            if same is None:
                continue
            if len(same) > 1:
                values: list[Value] = []
                for comparison in same:
                    values += comparison.values
                child = Comparison(child.name, Operator.IN, tuple(values), child.position, child.end)
        folded.append(child)
    return folded


def _combined(node: Node, children: list[_Any | _All], context: _Context) -> _Any | _All:
    if isinstance(node, Or):
        alternatives_, depth = [], 0
        for child in children:
            if isinstance(child, _Any):
                alternatives_ += child.queries
                depth = max(depth, child.depth)
            else:
                query, below = _rendered(child, node)
                alternatives_.append(query)
                depth = max(depth, below)
        return _Any(alternatives_, depth)
    if isinstance(node, And):
        queries: list[Query] = []
        excluded: list[Query] = []
        depth = 0
        for child in children:
            if isinstance(child, _All):
                queries += child.queries
                excluded += child.excluded
                depth = max(depth, child.depth)
            else:
                query, below = _rendered(child, node)
                queries.append(query)
                depth = max(depth, below)
        return _All(queries, excluded, depth)
    child = children[0]
    if isinstance(node, Not):
        if isinstance(child, _Any):
            return _All([], child.queries, child.depth)
        if not child.queries:
            return _Any(child.excluded, child.depth)
        query, depth = _rendered(child, node)
        return _All([], [query], depth)
    query, depth = _rendered(child, node)
    return _Any([{"nested": {"path": context.path, "query": query}}], depth + 1)


def _rendered(item: _Any | _All, node: Node) -> tuple[Query, int]:
    """One query for a list, and how many compound queries deep it is."""
    if isinstance(item, _Any):
        if len(item.queries) == 1:
            query, depth = item.queries[0], item.depth
        else:
            query, depth = {"bool": {"should": item.queries, "minimum_should_match": 1}}, item.depth + 1
    elif len(item.queries) == 1 and not item.excluded:
        query, depth = item.queries[0], item.depth
    else:
        clauses: Query = {}
        if item.queries:
            clauses["filter"] = item.queries
        if item.excluded:
            clauses["must_not"] = item.excluded
        query, depth = {"bool": clauses}, item.depth + 1
    if depth > MAX_COMPOUND_DEPTH:
        message = f"the query is more than {MAX_COMPOUND_DEPTH} levels deep, counting AND, OR, NOT and nested objects"
        raise TooComplex(message, node.position, node.end)
    return query, depth
