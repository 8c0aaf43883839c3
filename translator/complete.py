"""Completion of a query at the cursor."""

from dataclasses import dataclass

from translator import tokens
from translator.catalogue import Catalogue, Family, Field
from translator.errors import QueryError, UnknownField
from translator.limits import MAX_CHARACTERS
from translator.nodes import Name
from translator.syntax_errors import Expected, Reader

MAX_SUGGESTIONS = 20
"""Suggestions of one kind."""

_EQUALITY = ("=", "!=", "IN", "NOT IN")
_ORDER = ("<", "<=", ">", ">=", "BETWEEN", "NOT BETWEEN")
_PARTS = ("~", "!~")
_PRESENCE = ("EXISTS", "NOT EXISTS")
_OPERATORS = {
    Family.KEYWORD: (*_EQUALITY, *_PARTS, *_ORDER, *_PRESENCE),
    Family.FLATTENED: (*_EQUALITY, *_ORDER, *_PRESENCE),
    Family.TEXT: (*_EQUALITY, *_PARTS, *_PRESENCE),
    Family.IP: (*_EQUALITY, *_ORDER, *_PRESENCE),
    Family.INTEGER: (*_EQUALITY, *_ORDER, *_PRESENCE),
    Family.FLOAT: (*_EQUALITY, *_ORDER, *_PRESENCE),
    Family.DATE: (*_EQUALITY, *_ORDER, *_PRESENCE),
    Family.BOOLEAN: (*_EQUALITY, *_PRESENCE),
    Family.OBJECT: _PRESENCE,
    Family.NESTED: (":{", *_PRESENCE),
    Family.UNSUPPORTED: (),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text that can replace the word at the cursor.

    Attributes:
        text: what to write.
        kind: field, operator, keyword or value.
        type: a field's mapping type; empty for the other kinds.
    """

    text: str
    kind: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """Suggestions for the cursor.

    Attributes:
        start: where the word at the cursor starts; suggestions replace the text from here to the cursor.
        suggestions: in the order in which to offer them.
        values_of: the field of which values that start with `word` can be looked up in the index, if any.
        word: the word at the cursor.
        is_complete: whether there are no other suggestions, so that those for a longer word are among them.
    """

    start: int
    suggestions: tuple[Suggestion, ...]
    values_of: Field | None = None
    word: str = ""
    is_complete: bool = True


def complete(text: str, cursor: int, catalogue: Catalogue) -> Completion:
    """Find what can stand at the cursor.

    Args:
        text: the query as far as it has been typed; what follows the cursor does not count.
        cursor: in characters from 0, at most the length of the text.
        catalogue: the fields of the index.

    Returns:
        No suggestions where the text before the cursor is wrong already, or the cursor is within quotes.
    """
    before = tokens.with_blanks(text[: min(cursor, MAX_CHARACTERS)])
    typed = tokens.WORD_BEFORE.search(before)
    start = typed.start() if typed else len(before)
    word = before[start:]
    reader = Reader(before[:start])
    try:
        reader.read()
    except QueryError as error:
        # Anything but a text that just ends too early is wrong already; an unclosed bracket is only not closed yet.
        if reader.at != start or (error.position != start and reader.expected is Expected.FIELD):
            return Completion(start, ())
    scope = _scope(reader.scopes, catalogue)
    if scope is None:
        return Completion(start, ())
    if reader.expected is Expected.FIELD:
        fields, is_complete = _fields(word, scope, catalogue)
        return Completion(start, (*fields, *_keywords(word, "NOT")), is_complete=is_complete)
    if reader.expected is Expected.CONNECTIVE:
        return Completion(start, _keywords(word, "AND", "OR"))
    field = _field(reader.field, scope, catalogue)
    if field is None or field.problem:
        return Completion(start, ())
    return _operand(reader.expected, start, word, field)


def _operand(expected: Expected, start: int, word: str, field: Field) -> Completion:
    if expected is Expected.OPERATOR:
        return Completion(start, _operators(word, operators_of(field)))
    if expected is Expected.NEGATED_OPERATOR:
        negated = (operator for operator in operators_of(field) if operator.startswith("NOT "))
        return Completion(start, _operators(word, tuple(operator.removeprefix("NOT ") for operator in negated)))
    if expected is Expected.VALUE:
        return _values(start, word, field)
    return Completion(start, ())


def operators_of(field: Field) -> tuple[str, ...]:
    """The operators that a field allows."""
    operators = () if field.problem else _OPERATORS[field.family]
    if field.keyword is None:
        return operators
    # An operator that the type itself lacks is asked of the sub-field.
    return (*operators, *(extra for extra in (*_PARTS, *_ORDER) if extra not in operators))


def _scope(written: list[str], catalogue: Catalogue) -> str | None:
    prefix = ""
    for name in written:
        field = _field(name, prefix, catalogue)
        if field is None or field.family is not Family.NESTED:
            return None
        prefix = f"{field.path}."
    return prefix


def _field(written: str, scope: str, catalogue: Catalogue) -> Field | None:
    try:
        return catalogue.resolve(Name(tokens.field_path(written)), scope)
    except UnknownField:
        return None


def _fields(word: str, scope: str, catalogue: Catalogue) -> tuple[tuple[Suggestion, ...], bool]:
    """The fields whose names hold the word, and whether these are all."""
    wanted = word.casefold()
    names = [
        (name[len(scope) :], field)
        for name, field in catalogue.fields.items()
        if name.startswith(scope) and operators_of(field) and wanted in name[len(scope) :].casefold()
    ]
    # Names that start like the word come before those that hold it elsewhere.
    names.sort(key=lambda item: (not item[0].casefold().startswith(wanted), item[0]))
    offered = tuple(
        Suggestion(tokens.write_field(name), "field", field.type) for name, field in names[:MAX_SUGGESTIONS]
    )
    return offered, len(names) <= MAX_SUGGESTIONS


def _operators(word: str, operators: tuple[str, ...]) -> tuple[Suggestion, ...]:
    return tuple(Suggestion(text, "operator") for text in operators if text.casefold().startswith(word.casefold()))


def _keywords(word: str, *keywords: str) -> tuple[Suggestion, ...]:
    return tuple(Suggestion(text, "keyword") for text in keywords if text.casefold().startswith(word.casefold()))


def _values(start: int, word: str, field: Field) -> Completion:
    if field.family is Family.BOOLEAN:
        return Completion(
            start, tuple(Suggestion(text, "value") for text in ("true", "false") if text.startswith(word))
        )
    whole = field.keyword if field.family is Family.TEXT else field
    if whole is None or whole.family not in (Family.KEYWORD, Family.FLATTENED):
        return Completion(start, ())
    return Completion(start, (), whole, word)
