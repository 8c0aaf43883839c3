"""Grammar of the query language: text to nodes.

    query       = [ or_expr ]
    or_expr     = and_expr { OR and_expr }
    and_expr    = not_expr { AND not_expr }
    not_expr    = NOT not_expr | "(" or_expr ")" | scope | comparison
    scope       = field ":" "{" or_expr "}"
    comparison  = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
                | field ( "~" | "!~" ) ( value | regex )
                | field [ NOT ] IN "(" value { "," value } ")"
                | field [ NOT ] BETWEEN value AND value
                | field [ NOT ] EXISTS

For speed, and so that depth costs no recursion, a query is first a flat list of clauses: one comparison with the
brackets around it and the AND or OR after it, matched as one regular expression by a pyparsing token. `_fold` then
makes the tree of them, by precedence. Other text is read again, slowly, by `translator.syntax_errors`, which
says what is wrong.
"""

import re
from typing import Any, TypeAlias

from pyparsing import ParseException, ParserElement, Token

from translator import tokens
from translator.errors import QueryError, QuerySyntaxError, TooComplex
from translator.limits import MAX_CHARACTERS, MAX_CLAUSES, MAX_DEPTH, MAX_MEMBERS
from translator.nodes import And, Comparison, Everything, Name, Node, Not, Operator, Or, Query, Scope, Value, Wildcard
from translator.regex import to_lucene
from translator.syntax_errors import diagnose, too_many_members

_CLAUSE = re.compile(
    rf"""
    (?P<opening> (?> (?: \s*+ (?: \( | (?ai:NOT){tokens.WORD_END} | {tokens.FIELD} \s*+ : \s*+ \{{ ) )* ) \s*+ )
    (?P<field> {tokens.FIELD} ) \s*+
    (?:
        (?: (?P<operator> !?=(?!~) | [<>]=? | !?~(?!\s*+/) ) \s*+
            (?: (?P<bare> {tokens.BARE} ) | (?P<quoted> {tokens.DOUBLE_QUOTED} | {tokens.SINGLE_QUOTED} ) )
        |   (?P<matches> !?~ ) \s*+ (?P<regex> {tokens.REGEX} ) {tokens.REGEX_END}
        |   (?> (?P<negation> (?ai:NOT){tokens.WORD_END} \s*+ )? )
            (?: (?ai:IN){tokens.WORD_END} \s*+
                \( (?P<members> (?> (?: \s*+ {tokens.VALUE} \s*+ , )* ) \s*+ {tokens.VALUE} ) \s*+ \)
            |   (?ai:BETWEEN){tokens.WORD_END} \s*+ (?P<low> {tokens.VALUE} ) \s*+
                (?ai:AND){tokens.WORD_END} \s*+ (?P<high> {tokens.VALUE} )
            |   (?ai:EXISTS){tokens.WORD_END}
            )
        )
    )
    (?P<closing> [\s)}}]*+ )
    (?P<connective> (?ai: AND | OR ){tokens.WORD_END} )?
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING = re.compile(rf"\(|(?ai:NOT){tokens.WORD_END}|({tokens.FIELD})\s*:\s*\{{", re.DOTALL)
_MEMBER = re.compile(tokens.VALUE, re.DOTALL)
_OPERATORS = {
    "=": (Operator.EQUAL, False),
    "!=": (Operator.EQUAL, True),
    "<": (Operator.LESS, False),
    "<=": (Operator.LESS_OR_EQUAL, False),
    ">": (Operator.GREATER, False),
    ">=": (Operator.GREATER_OR_EQUAL, False),
    "~": (Operator.CONTAINS, False),
    "!~": (Operator.CONTAINS, True),
}
# The signs with which a lone * asks for any value at all.
_TAKES_ANYTHING = frozenset({"=", "!=", "~", "!~"})


# Openings before a comparison and where they start, the comparison and whether it is negated, closings after it and
# where they start, and the connective. A plain tuple: one is made for every comparison.
_Clause: TypeAlias = tuple[str, int, Comparison, bool, str, int, str | None]
_ANYTHING = (Wildcard.ANY,)


class _Clauses(Token):
    """All clauses of a query: an element for each would cost more in pyparsing's bookkeeping than in matching."""

    def __init__(self) -> None:
        super().__init__()
        self.leave_whitespace()

    def _generateDefaultName(self) -> str:  # pylint: disable=invalid-name  # pyparsing's hook
        return "clauses"

    # pylint: disable-next=invalid-name  # pyparsing's hook
    def parseImpl(self, instring: str, loc: int, do_actions: bool = True) -> tuple[int, list[Any]]:
        clauses: list[_Clause] = []
        connective: str | None = ""
        while connective is not None:
            match = _CLAUSE.match(instring, loc)
            if match is None or len(clauses) == MAX_CLAUSES:
                raise ParseException(instring, loc, "expected a comparison", self)
            clause = _clause(match, loc)
            clauses.append(clause)
            connective, loc = clause[-1], match.end()
        if loc != len(instring):
            raise ParseException(instring, loc, "expected AND, OR or the end of the query", self)
        return loc, [clauses]


def _clause(match: re.Match[str], position: int) -> _Clause:
    # pylint: disable=too-many-locals  # one name a group of the expression
    opening, field, sign, bare, quoted, matches, regex, negation, members, low, high, closing, connective = (
        match.groups()
    )
    # Lengths tell where things are, at less cost than the match does.
    start = position + len(opening)
    end = match.end() - len(closing) - (len(connective) if connective else 0)
    values: tuple[Value, ...]
    if sign:
        operator, negated = _OPERATORS[sign]
        if bare:
            parts = (bare,) if bare.isalnum() else tokens.bare_parts(bare)
            values = (Value(parts, end - len(bare), end),)
            if bare[0] == "*" and parts == _ANYTHING and sign in _TAKES_ANYTHING:
                operator, values = Operator.EXISTS, ()
        else:
            values = (_value(quoted, end - len(quoted)),)
    elif matches:
        operator, negated = Operator.MATCHES, matches == "!~"
        to_lucene(regex[1:-1], end - len(regex) + 1)
        values = (Value((regex[1:-1],), end - len(regex), end),)
    else:
        negated = negation is not None
        if members:
            operator, values = Operator.IN, _members(match.string, *match.span("members"))
        elif low:
            operator = Operator.BETWEEN
            values = (_value(low, match.start("low")), _value(high, match.start("high")))
        else:
            operator, values = Operator.EXISTS, ()
    path = field if field.isalnum() else tokens.field_path(field)
    comparison = Comparison(Name(path, start, start + len(field)), operator, values, start, end)
    return opening, position, comparison, negated, closing, end, connective


def _value(written: str, position: int) -> Value:
    end = position + len(written)
    if written[0] in "\"'":
        text = tokens.unquote(written)
        return Value((text,) if text else (), position, end)
    return Value(tokens.bare_parts(written), position, end)


def _members(text: str, start: int, end: int) -> tuple[Value, ...]:
    values: list[Value] = []
    for match in _MEMBER.finditer(text, start, end):
        if len(values) == MAX_MEMBERS:
            raise too_many_members(match.start(), match.end())
        values.append(_value(match[0], match.start()))
    return tuple(values)


_QUERY: ParserElement = _Clauses().parse_with_tabs()


class _Level:
    """State of one level of brackets: alternatives before the last OR, and conjuncts since."""

    __slots__ = ("alternatives", "bracket", "conjuncts", "inner_negated", "negated", "position", "scope")

    def __init__(self, bracket: str, position: int, negated: bool, scope: Name | None) -> None:
        self.bracket = bracket
        self.position = position
        self.negated = negated
        self.scope = scope
        self.alternatives: list[Node] = []
        self.conjuncts: list[Node] = []
        self.inner_negated = False

    def end_conjunction(self) -> None:
        """Close the alternative that was collected since the last OR."""
        self.alternatives.append(_joined(And, self.conjuncts))
        self.conjuncts = []

    def close(self) -> Node:
        """The node of the whole level."""
        if not self.alternatives:
            return _joined(And, self.conjuncts)
        self.end_conjunction()
        return _joined(Or, self.alternatives)


def _joined(kind: type[And] | type[Or], nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    children = nodes
    if kind in map(type, nodes):
        children = [child for node in nodes for child in (node.children if isinstance(node, kind) else (node,))]
    return kind(tuple(children), nodes[0].position, nodes[-1].end)


def _inverted(node: Node) -> Node:
    return node.child if isinstance(node, Not) else Not(node, node.position, node.end)


def _fold(clauses: list[_Clause]) -> Node | None:
    """Fold clauses by precedence, without recursion; None where the brackets do not fit."""
    # pylint: disable=too-many-locals  # one name a member of the clause
    level = _Level("", 0, False, None)
    outer: list[_Level] = []
    for opening, opening_at, comparison, negated, closing, closing_at, connective in clauses:
        if opening and not opening.isspace():
            for match in _OPENING.finditer(opening):
                word = match[0]
                if word[-1] in "({":
                    if len(outer) == MAX_DEPTH:
                        return None
                    outer.append(level)
                    at = opening_at + match.start()
                    written = match[1]
                    scope = Name(tokens.field_path(written), at, at + len(written)) if written else None
                    level = _Level(word[-1], at, level.inner_negated, scope)
                    outer[-1].inner_negated = False
                else:
                    level.inner_negated = not level.inner_negated
        level.conjuncts.append(_inverted(comparison) if negated is not level.inner_negated else comparison)
        level.inner_negated = False
        if closing and not closing.isspace():
            for offset, bracket in enumerate(closing):
                if bracket.isspace():
                    continue
                if level.bracket != ("(" if bracket == ")" else "{"):
                    return None
                node = level.close()
                if level.scope is not None:
                    node = Scope(level.scope, node, level.position, closing_at + offset + 1)
                negated = level.negated
                level = outer.pop()
                level.conjuncts.append(_inverted(node) if negated else node)
        if connective and connective[0] in "oO":
            level.end_conjunction()
    return None if outer else level.close()


def parse(text: str) -> Query:
    """Read a query.

    Args:
        text: what a person typed; empty or blank text asks for everything.

    Raises:
        QuerySyntaxError: the text is not a query.
        TooComplex: it is over a limit.
    """
    try:
        return _parse(text)
    except QueryError as error:
        error.text = text
        raise


def _parse(text: str) -> Query:
    if len(text) > MAX_CHARACTERS:
        message = f"the query has {len(text):,} characters; at most {MAX_CHARACTERS:,} are taken"
        raise TooComplex(message, MAX_CHARACTERS, len(text))
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise QuerySyntaxError("half of a surrogate pair is no character", error.start, error.end) from None
    text = tokens.with_blanks(text)
    if not text or text.isspace():
        return Everything()
    try:
        clauses = _QUERY.parse_string(text)[0]
    except ParseException:
        raise diagnose(text) from None
    node = _fold(clauses)
    if node is None:
        raise diagnose(text)
    return node
