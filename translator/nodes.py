"""The tree of a query.

The grammar makes trees without redundancy: an `And` holds no `And`, an `Or` no `Or`, a `Not` no `Not`, both kinds of
list at least two children, and neighbouring parts of a value are of different kinds. So texts that differ only in
brackets and double negation have one tree. Where a node came from (`position` and `end`, in characters from 0) does
not count when trees are compared.

Why: nodes are frozen for mypy (``dataclass_transform``) and not at run time. With ``frozen=True`` each attribute is set
through ``object.__setattr__``, and translation takes a sixth to a fifth longer. Named tuples are as fast, but a `Not`
would equal an `And` of the same content.
"""

# pylint: disable=invalid-field-call,too-few-public-methods  # it does not see that these are dataclasses

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TypeAlias, TypeVar, dataclass_transform

_Class = TypeVar("_Class")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _node(cls: type[_Class]) -> type[_Class]:
    # Frozen for the type checker alone: at run time that would make translating a query a sixth slower.
    return dataclass(slots=True, unsafe_hash=True)(cls)


class Wildcard(Enum):
    """A part of a value that stands for other text."""

    ANY = "*"
    """Any run of characters, also an empty one."""
    ONE = "?"
    """One character."""


class Operator(StrEnum):
    """Operators; the negated forms are `Not` of these."""

    EQUAL = "="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    CONTAINS = "~"
    MATCHES = "~ /regex/"
    IN = "IN"
    BETWEEN = "BETWEEN"
    EXISTS = "EXISTS"


@_node
class Name:
    """A field as it was written, its names joined by dots; below a scope it is relative to the scope's field."""

    path: str
    position: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@_node
class Value:
    """A value: literal text and wildcards in turn; no parts at all are the empty text."""

    parts: tuple[str | Wildcard, ...]
    position: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    @property
    def text(self) -> str | None:
        """The literal text; None where the value has wildcards."""
        if len(self.parts) == 1:
            part = self.parts[0]
            return part if isinstance(part, str) else None
        return None if self.parts else ""

    @property
    def is_anything(self) -> bool:
        """Whether the value is a lone `*`."""
        return self.parts == (Wildcard.ANY,)


@_node
class Everything:
    """The empty query."""


@_node
class Comparison:
    """One field compared with as many values as its operator takes: none, one, two, or one and more (`IN`).

    The value of `MATCHES` is the regular expression as it stands between its slashes.
    """

    name: Name
    operator: Operator
    values: tuple[Value, ...]
    position: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@_node
class Scope:
    """One nested object that satisfies all of the child."""

    name: Name
    child: "Node"
    position: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@_node
class Not:
    """Documents that the child does not match."""

    child: "Node"
    position: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@_node
class And:
    """Documents that all children match."""

    children: tuple["Node", ...]
    position: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@_node
class Or:
    """Documents that any child matches."""

    children: tuple["Node", ...]
    position: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


Node: TypeAlias = Comparison | Scope | Not | And | Or
"""A part of a query."""

Query: TypeAlias = Node | Everything
"""A whole query."""
