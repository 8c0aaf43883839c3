"""Metrics and labels of a PromQL expression.

No parser of the language is among our libraries. This reads just enough of its grammar
(https://prometheus.io/docs/prometheus/latest/querying/basics/); that an expression is valid is checked by Prometheus.

Why: a dashboard or alert with a wrong name shows nothing and never fires. So tests compare the names with what running
services expose; names in the source would include metrics that are declared and never set.
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s+ | \#[^\n]*                                # nothing
      | (?P<string>"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*')
      | \[[^\]]*\]                                    # a range
      | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
      | [0-9][0-9A-Za-z.]*                            # a number or a duration
      | (?P<sign>[{}(),=!~<>+*/%^@-]+?)
    """,
    re.VERBOSE,
)
_GROUPING = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))
_KEYWORDS = frozenset(("and", "or", "unless", "offset", "bool", "atan2", "start", "end", "inf", "nan"))


@dataclass(frozen=True, slots=True)
class Named:
    """Names in an expression.

    Attributes:
        metrics: by name: the labels that its selectors match on.
        grouping: the labels that results are grouped or joined by.
    """

    metrics: dict[str, set[str]] = field(default_factory=dict)
    grouping: set[str] = field(default_factory=set)


def named(expression: str) -> Named:
    """Find the metrics and labels.

    Raises:
        ValueError: there is something that this does not know.
    """
    tokens = _tokens(expression)
    found = Named()
    position = 0
    while position < len(tokens):
        token = tokens[position]
        following = tokens[position + 1] if position + 1 < len(tokens) else ""
        position += 1
        if not re.match("[A-Za-z_:]", token) or token in _KEYWORDS:
            continue
        if token in _GROUPING:
            if following == "(":
                end = tokens.index(")", position)
                found.grouping.update(name for name in tokens[position:end] if name[0].isalpha() or name[0] == "_")
                position = end
        elif following not in ("(", "by", "without"):
            labels = found.metrics.setdefault(token, set())
            if following == "{":
                end = tokens.index("}", position)
                # A label is what stands before each operator; values are strings, of which the tokens keep the quotes.
                labels.update(name for name in tokens[position:end] if name[0].isalpha() or name[0] == "_")
                position = end
    return found


def _tokens(expression: str) -> list[str]:
    tokens = []
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise ValueError(f"not understood: {expression[position:]!r}")
        position = match.end()
        if match.lastgroup is not None:
            tokens.append(match[0])
    return tokens
