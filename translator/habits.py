"""Habits of other query languages, and their form in this one.

Each function is given a place at which a text does not fit the grammar, and looks for what KQL, Lucene, SQL, Python,
shells and other products have there. The rows of a table are tried in order. A hint is given only where it can apply:
better none than a wrong one.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from translator import tokens
from translator.errors import shown
from translator.nodes import Wildcard


class Place(NamedTuple):
    """A place in a text, and what was read before it.

    Attributes:
        text: the whole text.
        at: where it does not fit; white space before it is skipped.
        field: the field of the last comparison, as written; empty where there is none.
        field_at: where that field starts.
        operator: the last operator, in capitals; empty where there is none yet.
        value_at: where the last value starts.
        value_end: where it ends; 0 where there is none.
    """

    text: str
    at: int
    field: str = ""
    field_at: int = 0
    operator: str = ""
    value_at: int = 0
    value_end: int = 0

    @property
    def value(self) -> str:
        """The last value, as written."""
        return self.text[self.value_at : self.value_end]


class Habit(NamedTuple):
    """Text written by habit, from `position` to `end`, and what to write instead."""

    position: int
    end: int
    hint: str


_Hint: TypeAlias = str | Callable[[re.Match[str], Place], str]
_Table: TypeAlias = list[tuple[re.Pattern[str], _Hint]]

_END = tokens.WORD_END
_OPERATOR_AHEAD = rf"\s*+(?:[=<>~]|![=~]|:\s*+\{{|(?ai:(?:NOT\s++)?(?:IN|BETWEEN|EXISTS)){_END})"
_COMPARISON_AHEAD = rf"{tokens.FIELD}{_OPERATOR_AHEAD}"
_COMPARISON_ENDS = rf"\s*+(?:\Z|[)}}]|(?ai:AND|OR){_END})"
_IF_VALUE = rf"(?:(?=\s*+(?P<value>{tokens.VALUE}))|)"
# A value that has neither brackets nor, at its end, what separates the members of a list.
_MEMBER = (
    rf"""(?:(?!{tokens.KEYWORDS}{_END})[^\s(){{}}\[\],;|&"'=<>!\\]++|{tokens.DOUBLE_QUOTED}|{tokens.SINGLE_QUOTED})"""
)
_OR = rf"(?:(?ai:OR){_END}|\|\|?|,|;)"
_AND = rf"(?:(?ai:AND){_END}|&&?)"
_MISSING = r"(?:null|none|nil|empty|missing|blank|undefined|void|not\s++(?:set|there|present|defined))(?!\w)"
_PRESENT = r"(?:not\s++(?:null|none|nil|empty|missing|blank|undefined|void)|set|there|present|defined)(?!\w)"
_NEGATION = r"(?P<negation>(?ai:(?:does\s++not|do\s++not|is\s++not|doesn't|isn't|not)\s++|!\s*+|-?not_?))?"

_NO_COMMENTS = "a query has no comments; remove it"
_NO_PIPES = "a query has no pipes or commands; write AND between conditions, and sort, fields and size in the request"
_NO_CLAUSES = "a query is a condition alone; sort, fields and size are members of the request"
_EVERYTHING = "an empty query asks for everything; write field EXISTS for what has a value in a field"
_ANY_CASE = '"case_insensitive": true in the request ignores the case of letters'
_STRAIGHT_QUOTES = 'write a straight quote " instead of {found}'


def _table(*rows: tuple[str, _Hint]) -> _Table:
    return [(re.compile(pattern, re.DOTALL), hint) for pattern, hint in rows]


def _look_up(table: _Table, place: Place) -> Habit | None:
    for pattern, hint in table:
        match = pattern.match(place.text, place.at)
        if match is None:
            continue
        marked = "mark" if "mark" in pattern.groupindex else 0
        if isinstance(hint, str):
            groups = {name: shown(text or "…") for name, text in match.groupdict().items()}
            said = hint.format(**{"field": shown(place.field), "found": shown(match[marked]), **groups})
        else:
            said = hint(match, place)
        return Habit(*match.span(marked), said)
    return None


def _word(*words: str) -> str:
    """A pattern of words in any letter case, whatever white space is between them."""
    return rf"(?ai:{'|'.join(words)})(?!\w)".replace(" ", r"\s++")


def _plain(written: str) -> str:
    """The text of a value as it was written, its quotes and wildcards aside."""
    return tokens.unquote(written) if written[0] in "\"'" else written


def _members(text: str) -> list[str]:
    return [match["member"] for match in _ONE_MEMBER.finditer(text) if match["member"]]


_ONE_MEMBER = re.compile(rf"{tokens.KEYWORDS}{_END}|(?P<member>{_MEMBER})", re.DOTALL)


def _listed(separator: str, opening: str = r"\(", closing: str = r"\)", *, least: str = "*") -> str:
    """A pattern of values in brackets with a separator between them."""
    members = rf"(?P<members>{_MEMBER}(?>(?:\s*+{separator}\s*+{_MEMBER}){least}))"
    return rf"{opening}\s*+{members}\s*+,?\s*+{closing}"


def _in(match: re.Match[str], place: Place) -> str:
    """A list of alternatives as IN takes it, or what a sign other than = needs."""
    members = _members(match["members"])
    if place.operator in ("~", "!~") and all(map(_WORD_ONLY.fullmatch, members)):
        return f"write {shown(place.field)} {place.operator} /{shown('|'.join(members))}/ for any of several"
    if place.operator[:1] in tuple("~<>") or place.operator == "!~":
        return "write a comparison for each value, with OR between them"
    word = "NOT IN" if place.operator.startswith(("!", "NOT")) else "IN"
    return f"write {shown(place.field)} {word} ({shown(', '.join(members[:3]))}{', …' * (len(members) > 3)})"


def _each(match: re.Match[str], place: Place) -> str:
    """The field with each of several values that it must have."""
    operator = place.operator or "="
    field, two = shown(place.field), _members(match["members"])[:2]
    each = " AND ".join(
        f"{'NOT ' * member.startswith('-')}{field} {operator} {shown(member.removeprefix('-'))}" for member in two
    )
    return f"write the field with each value: {each}"


_WORD_ONLY = re.compile(r"[\w\-]++")


_RANGE = rf"(?P<opens>[\[{{])\s*+(?P<low>{_MEMBER})\s++(?ai:TO)\s++(?P<high>{_MEMBER})\s*+(?P<closes>[\]}}])"


def _range(match: re.Match[str], place: Place) -> str:
    """Lucene's range, by its brackets and open ends."""
    field, low, high = shown(place.field), shown(match["low"]), shown(match["high"])
    above = f"{field} {'>=' if match['opens'] == '[' else '>'} {low}"
    below = f"{field} {'<=' if match['closes'] == ']' else '<'} {high}"
    if low == "*":
        return f"write {field} EXISTS" if high == "*" else f"write {below}"
    if high == "*":
        return f"write {above}"
    if (match["opens"], match["closes"]) == ("[", "]"):
        return f"write {field} BETWEEN {low} AND {high}"
    return f"write {above} AND {below}"


# Where a comparison is expected.


def _exists(match: re.Match[str], place: Place) -> str:
    before = place.text[max(0, place.at - 16) : place.at].rstrip()
    function = (match.groupdict().get("function") or "").lower()
    negated = before[-3:].upper() == "NOT" or "missing" in function or ("null" in function and "not" not in function)
    return f"write EXISTS after the field: {shown(match['name'])} {'NOT ' if negated else ''}EXISTS"


_NAMES = r"[\w@\-]+(?:\.[\w@\-]+){0,9}?"
_CALL = rf"\s*+\(\s*+(?P<name>{tokens.FIELD})\s*+(?:,\s*+(?P<value>{tokens.VALUE})\s*+)?\)"
_EXISTENCE = r"(?P<function>(?ai:has|missing|defined|(?:is_?)?not_?(?:null|empty)|is_?(?:null|empty)))"
_FUNCTION = r"(?ai:starts_?with|ends_?with|match(?:es)?|lower|upper|strip|equals)"
_COMMENT = (rf"--(?![\w@.\-]*+{_OPERATOR_AHEAD})|/\*|//|#", _NO_COMMENTS)
_CLAUSE = (
    rf"{_word('(?:order|sort|group) by', 'having', 'limit', 'offset', 'fetch first')}(?=\s++\S)(?!{_OPERATOR_AHEAD})",
    _NO_CLAUSES,
)
_COMMAND = (
    r"\|\s*+(?ai:where|search|filter|sort|order|limit|head|tail|take|top|stats|count|eval|table|fields|keep"
    r"|project|summarize|extend|render|join|rename|dedup|distinct|grep|wc|uniq)(?!\w)"
)
_QUOTE_MARK = (tokens.TYPOGRAPHIC_QUOTE, _STRAIGHT_QUOTES)


def _called(match: re.Match[str], place: Place) -> str:
    return f"write {shown(match['name'])} ~ {shown(match['value'])}" if match["value"] else _exists(match, place)


_AT_COMPARISON = _table(
    _QUOTE_MARK,
    ("`", "a name that needs quotes has \" or ' around it"),
    _COMMENT,
    (_COMMAND, _NO_PIPES),
    (rf"(?ai:EXISTS){_END}(?!{_OPERATOR_AHEAD})(?=\s*+[(:]?\s*+(?P<name>{tokens.FIELD}))", _exists),
    (rf"(?P<function>(?ai:_exists_|_missing_))(?=\s*+:\s*+(?P<name>{tokens.FIELD}))", _exists),
    (rf"{_EXISTENCE}(?={_CALL})(?!{_OPERATOR_AHEAD})", _called),
    (rf"(?ai:contains|includes|instr)(?={_CALL})", "write {name} ~ {value}"),
    (rf"(?ai:starts_?with|begins_?with)(?={_CALL})", "write {name} = with a * at the end of the value"),
    (rf"(?ai:ends_?with)(?={_CALL})", "write {name} = with a * at the start of the value"),
    (rf"(?ai:match(?:es)?|regexp?|regexp_like|like|re\.\w++)(?={_CALL})", "write {name} ~ /pattern/"),
    (
        rf"(?ai:lower|upper|lcase|ucase|to_?lower|to_?upper|lowercase|uppercase)(?={_CALL})",
        f"write {{name}} alone; {_ANY_CASE}",
    ),
    (r"(?ai:count|sum|avg|min|max)(?=\s*+\()", "nothing is calculated; every answer has the count of its documents"),
    (
        rf"(?P<mark>(?P<name>{_NAMES})\.(?ai:contains|includes))\s*+\(\s*+(?P<value>{tokens.VALUE})\s*+\)",
        "write {name} ~ {value}",
    ),
    (
        rf"(?P<mark>(?P<name>{_NAMES})\.{_FUNCTION})\s*+\(",
        "there are no functions; compare {name} itself, with * and ? or ~ /pattern/",
    ),
    (rf"(?!{tokens.KEYWORDS}{_END})[\w.]++(?={_CALL})", "there are no functions; compare {name} itself"),
    (r"\*\s*+(?::\s*+\*)?(?=\s*+\Z)", _EVERYTHING),
    (r"[*?]", "a query names its fields; write field = value"),
    (
        rf"(?ai:SELECT|FROM|WHERE)(?=\s++\S)(?!{_OPERATOR_AHEAD})",
        "a query is only the condition that would follow WHERE",
    ),
    _CLAUSE,
    (rf"\+(?=\s*+(?P<name>{tokens.FIELD}))", "write {name} = … without the sign; AND makes all comparisons needed"),
    (
        rf"-(?ai:_exists_)(?=\s*+:\s*+(?P<name>{tokens.FIELD}))",
        "write NOT EXISTS after the field: {name} NOT EXISTS",
    ),
    (rf"-(?=(?P<name>{tokens.FIELD})\s*+:(?!\s*+\{{))", "write NOT: NOT {name} = …"),
    (r"-++(?=\s*+\()", "write NOT"),
    (r"!(?!=)|¬", "write NOT"),
    (r"&&?|\|\||[∧∨]", "one AND or OR stands between two comparisons"),
    (r"\|", _NO_PIPES),
    (r"[$%](?=[\w{])", "write the name of the field alone"),
    (rf"{tokens.REGEX}", "write a field before it: field ~ {found}"),
    (r"\{(?=\s*+[\"'}])", "JSON is not taken; write field = value"),
    (r"[\[{（］［｛]", "write ( and ) around a group of comparisons"),
    (rf"{tokens.KEYWORDS}{_END}(?={_OPERATOR_AHEAD})", 'write "{found}" to use it as a field name'),
    (rf"(?ai:AND|OR){_END}", "one AND or OR stands between two comparisons"),
    (rf"(?:{tokens.KEYWORDS}{_END}|[=<>!~]++)", "write a field before it"),
    (r"[,;]", "remove it; AND or OR stands between two comparisons"),
)


def at_comparison(text: str, at: int) -> Habit | None:
    """Find a habit where a comparison must start."""
    return _look_up(_AT_COMPARISON, Place(text, at))


# Where an operator is expected.


def _sign(
    sign: str, *, start: str = "", end: str = "", strip: bool = False, why: str = ""
) -> Callable[[re.Match[str], Place], str]:
    """The hint to write a sign, negated where the words were, with the value that follows and wildcards around it."""

    def said(match: re.Match[str], place: Place) -> str:
        written = f"{'!' if match.groupdict().get('negation') else ''}{sign}"
        value = match.groupdict().get("value")
        hint = f"write {written}{why}"
        if not value:
            return hint
        if start or end or strip:
            text = _plain(value).strip("%*")
            if not text or re.search(r"[%*?\\]", text):
                return hint
            parts = (*((Wildcard.ANY,) if start else ()), text, *((Wildcard.ANY,) if end else ()))
            value = tokens.write_value(parts)
        return f"{hint}: {shown(place.field)} {written} {shown(value)}"

    return said


def _like(match: re.Match[str], place: Place) -> str:
    """SQL's LIKE, with the value that was given where that has `%` at its ends alone."""
    text = _plain(match["value"]) if match["value"] else ""
    start, end = text[:1] == "%", text[-1:] == "%"
    if start and end and len(text) > 2 and "_" not in text:
        return _sign("~", strip=True, why=" for a value that contains another")(match, place)
    if (start or end) and "_" not in text:
        said = _sign("=", start="*" * start, end="*" * end, why=" with * and ? for the wildcards")
        return said(match, place)
    return f"write {'!' if match['negation'] else ''}= with * and ? for the wildcards % and _"


def _colon(match: re.Match[str], place: Place) -> str:
    hint = _sign("=", why=" to compare")(match, place)
    return hint if match["value"] else f"{hint}, or field:{{ … }} for one nested object"


_MORE = "(?:greater|more|larger|bigger|later|newer)"
_FEWER = "(?:less|smaller|fewer|earlier|older)"
_STARTS = _word("starts?_? with", "starts?_?with", "begins?_? with", "begins?_?with", "has_?prefix")
_ENDS = _word("ends?_? with", "ends?_?with", "has_?suffix")
_AT_OPERATOR = _table(
    (rf":(?=\s*+\*{_COMPARISON_ENDS})", "write {field} EXISTS"),
    (r":(?=\s*+(?P<sign>[<>]=?|!=|!?~))", "write {sign} without the colon"),
    (r":=", "write ="),
    (rf"::(?=\w++{_OPERATOR_AHEAD})", "there are no types to convert to; write the field alone"),
    (rf":\s*+{_RANGE}", _range),
    (rf":\s*+{_listed(_OR)}", _in),
    (rf":\s*+{_listed(_AND)}", _each),
    (rf":(?=\s*+(?P<pattern>{tokens.REGEX}))", "write ~ for a regular expression: {field} ~ {pattern}"),
    (rf":\s*+[(\[](?=\s*+{_COMPARISON_AHEAD})", "write {field}:{{ … }} for one nested object"),
    (
        rf":(?=(?P<part>{tokens.FIELD})~[0-9.]*+(?:[\s)]|\Z))",
        "there is no search for what resembles a value; write {field} ~ {part} for values that contain it",
    ),
    (
        rf":(?=(?P<part>{tokens.FIELD})(?::|{_OPERATOR_AHEAD}))",
        'a dot stands between the parts of a name: {field}.{part}; write "{field}:{part}" where the colon is in it',
    ),
    (
        rf"(?<=\s)(?P<pattern>{tokens.REGEX}){tokens.REGEX_END}",
        "write ~ before a regular expression: {field} ~ {pattern}",
    ),
    (
        rf"(?ai:NOT)\s++(?P<pattern>{tokens.REGEX}){tokens.REGEX_END}",
        "write !~ before a regular expression: {field} !~ {pattern}",
    ),
    (rf":(?!:){_IF_VALUE}", _colon),
    (rf"\{{(?=\s*+{_COMPARISON_AHEAD})", "write {field}:{{ … }} for one nested object"),
    (r"={2,}+~?|=\s++=(?!\S*=)", "write one ="),
    (rf"(?:<>|!=+(?<!!=)|=!=|=/=|/=|[≠≢]|><|¬=){_IF_VALUE}", _sign("!=")),
    (rf"(?:=>|>==|[≥⩾≧]){_IF_VALUE}", _sign(">=")),
    (rf"(?:=<|<==|[≤⩽≦]){_IF_VALUE}", _sign("<=")),
    (rf"<=>{_IF_VALUE}", _sign("=")),
    (r"(?:!=~|!~=|!~~\*?(?=\s++\S)|!~\*(?=\s++\S))", 'write !~ for "does not contain"'),
    (rf"=~(?=\s*+(?P<pattern>{tokens.REGEX}))", "write ~ for a regular expression: {field} ~ {pattern}"),
    (r"=~", 'write ~ for "contains", or = with * and ?'),
    (r"~=", 'write ~ for "contains", or != for "is not"'),
    (rf"(?:~~\*?|~\*)(?=\s++(?!(?ai:AND|OR){_END})[^\s)}}])|\*=|[≈≃≅∼～]", 'write ~ for "contains"'),
    (rf"\^={_IF_VALUE}", _sign("=", end="*", why=" with a * at the end")),
    (rf"\$={_IF_VALUE}", _sign("=", start="*", why=" with a * at the start")),
    (r"[＝﹦：]", "write ="),
    (r"＜", "write <"),
    (r"＞", "write >"),
    (r"∈", "write IN (…)"),
    (r"∉", "write NOT IN (…)"),
    (rf"=!(?=\s++(?!(?ai:AND|OR){_END})[^\s)}}])|!\s++=", "write !="),
    (r"(?P<first>[<>])\s++=", "write {first}= without a blank"),
    (
        rf"(?ai:is\s++{_PRESENT}|(?:is_?)?not_?null(?!\w)|not\s++null(?!\w)|exist(?!\w)|present(?!\w))",
        "write {field} EXISTS",
    ),
    (
        rf"(?ai:is\s++{_MISSING}|is_?(?:null|empty)(?!\w)|missing(?!\w))|!=?\s*+(?ai:EXISTS)(?!\w)",
        "write {field} NOT EXISTS",
    ),
    (
        rf"(?ai:(?:does\s++)?not\s++(?:exist|set|there|present|defined))(?!\w)(?={_COMPARISON_ENDS})",
        "write {field} NOT EXISTS",
    ),
    (r"=\s*+(?ai:EXISTS|NOT\s++NULL)(?!\w)", "write {field} EXISTS"),
    (r"(?ai:is\s++not\s++in|not_?in|!\s*+in|nin|-notin)~?(?=\s*+[(\[{])", "write NOT IN (…)"),
    (
        r"(?ai:(?:is\s++)?not\s++(?:one|any)\s++of|(?:is\s++)?none\s++of)(?!\w)",
        "write NOT IN (…)",
    ),
    (
        r"(?ai:is\s++in|is\s++(?:one|any)\s++of|-in)(?!\w)|(?ai:has_any|has_all|one\s++of|any\s++of)(?!\w)",
        "write IN (…)",
    ),
    (rf"{_NEGATION}-?{_word('i?like', 'glob', 'similar to')}{_IF_VALUE}", _like),
    (
        rf"{_NEGATION}-?{_word('r(?:eg)?like', 'regexp?', 'match(?:es)?(?: regexp?)?', 'matches pattern')}",
        _sign("~", why=" and a regular expression between slashes: ~ /pattern/"),
    ),
    (rf"{_NEGATION}-?{_STARTS}{_IF_VALUE}", _sign("=", end="*", why=" with a * at the end")),
    (rf"{_NEGATION}-?{_ENDS}{_IF_VALUE}", _sign("=", start="*", why=" with a * at the start")),
    (rf"{_NEGATION}-?{_word('i?contains?(?:_cs)?', 'includes?', 'has(?:_cs)?')}{_IF_VALUE}", _sign("~")),
    (rf"(?ai:is\s++)?{_word(f'{_MORE}(?: than)? or equal(?: to)?', 'at least', '-?gte', '-?ge')}", "write >="),
    (rf"(?ai:is\s++)?{_word(f'{_FEWER}(?: than)? or equal(?: to)?', 'at most', '-?lte', '-?le')}", "write <="),
    (rf"(?ai:is\s++)?{_word(f'{_MORE} than', '-?gt', 'after', 'since', 'over', 'above')}", "write >"),
    (rf"(?ai:is\s++)?{_word(f'{_FEWER} than', '-?lt', 'before', 'until', 'under', 'below')}", "write <"),
    (rf"{_word('-?neq?')}{_IF_VALUE}", _sign("!=")),
    (rf"(?ai:is\s++)?{_NEGATION}{_word('-?i?eq', 'equals?(?: to)?')}{_IF_VALUE}", _sign("=")),
    (rf"(?P<negation>{_word('(?:is|was) not', 'isn.t')}){_IF_VALUE}", _sign("=")),
    (rf"{_word('is', 'was', 'are')}{_IF_VALUE}", _sign("=")),
    (rf"(?P<negation>(?ai:NOT))\s++=(?![=~>]){_IF_VALUE}", _sign("=")),
    (rf"(?P<negation>(?ai:NOT))\s++~{_IF_VALUE}", _sign("~")),
    (r"(?ai:NOT)\s++(?:[<>]=?|!=|!~)", "write NOT before the field"),
    (rf"(?ai:NOT)(?=\s*+{_listed(_OR)})", "write NOT IN"),
    (rf"(?P<negation>(?ai:NOT))(?=\s++(?P<value>{tokens.VALUE}){_COMPARISON_ENDS})", _sign("=")),
)
_NAME_REST = re.compile(r"""(?:[^\s=<>~!,(){}"]|'(?=[^\s'=]*[\s=]))++""")
_NAME_WITH_BLANKS = re.compile(
    rf"(?!{tokens.KEYWORDS}{_END})\w[\w@.\-]*+(?:[ ]\w[\w@.\-]*+){{0,3}}+(?={_OPERATOR_AHEAD})"
)
_OPERATOR = re.compile(_OPERATOR_AHEAD)
_INVISIBLE = re.compile(tokens.ZERO_WIDTH)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_SIGNS = re.compile(r"[=<>~]")
_WORD_ALONE = re.compile(rf"(?:{_COMPARISON_ENDS}|&&?|\|\|?|,|;)")


def at_operator(place: Place, operator: str, connective: str) -> Habit | None:
    """Find a habit after a field, where an operator must stand.

    Args:
        place: has the field alone.
        operator: that of the comparison before it, if any.
        connective: AND or OR between the two; empty where there is no comparison before it.
    """
    return _look_up(_AT_OPERATOR, place) or _unquoted_name(place) or _word_alone(place, operator, connective)


_AT_SCOPE = _table((rf":\s*+{_RANGE}", _range))


def at_scope(place: Place) -> Habit | None:
    """Find a habit after a field that looks like a scope."""
    return _look_up(_AT_SCOPE, place)


# pylint: disable-next=too-many-return-statements  # one a case
def _unquoted_name(place: Place) -> Habit | None:
    """A name with characters that only a quoted one may have."""
    end = place.field_at + len(place.field)
    if place.field[0] in "\"'":
        return None
    if place.at > end:
        second = _NAME_WITH_BLANKS.match(place.text, place.at)
        if second is None or place.text[end : place.at] != " ":
            return None
        name = f"{place.field} {second[0]}"
        return Habit(*second.span(), f'write AND or OR between two comparisons, or quote the name: "{shown(name)}"')
    rest = _NAME_REST.match(place.text, end)
    if rest is None:
        return None
    if _PERCENT.match(rest[0]):
        return Habit(end, end + 3, "the text is percent-encoded; decode it first")
    hint = _hint_on_name(place.field, rest[0])
    if _OPERATOR.match(place.text, rest.end()) is None and "invisible" not in hint:
        # No name at all, but a value: 10.0.0.0/8.
        whole = shown(place.field + rest[0])
        hint = f"a value alone is not looked for; write field = {_quoted_if_needed(whole)}"
        return Habit(place.field_at, rest.end(), hint) if _WORD_ALONE.match(place.text, rest.end()) else None
    start = rest.start() if rest[0][0] in ".*?[" and "quote" not in hint else place.field_at
    return Habit(start, rest.end(), hint) if hint else None


def _hint_on_name(name: str, rest: str) -> str:
    """Hint for a name that goes on with a character that no name has."""
    if invisible := _INVISIBLE.search(rest):
        return f"remove the invisible character U+{ord(invisible[0]):04X} from the name, or quote it"
    if rest.lstrip(".")[:1] in ("*", "?"):
        return "a name has no wildcards; write a comparison for each field"
    if rest[0] == "[":
        return "the members of a list have no numbers; write the field alone"
    return "" if rest[0] in ",;|&`" else f'quote a name with such characters: "{shown(name + rest)}"'


def _quoted_if_needed(value: str) -> str:
    return f'"{value}"' if "'" in value else value


def _word_alone(place: Place, operator: str, connective: str) -> Habit | None:
    if _WORD_ALONE.match(place.text, place.at) is None:
        return None
    word = shown(place.field)
    if place.field[0] in "\"'" and _SIGNS.search(place.field):
        hint = "remove the quotes around the query"
    elif operator == "!=" and connective == "OR":
        hint = f"write NOT IN (…, {word}) for none of them"
    elif operator == "=" and connective == "OR":
        hint = f"write the field before each value: … = {word}; or IN (…, {word})"
    elif operator in ("=", "!=", "~", "!~") and connective:
        hint = f"write the field before each value: … {operator} {word}; quote a value that holds {connective}"
    else:
        hint = f"a word alone is not looked for; write field = {word}, or {word} EXISTS if that is a field"
    at_end = place.at == len(place.text)
    return Habit(place.at, place.at, hint) if at_end else Habit(place.field_at, place.field_at + len(place.field), hint)


# Where a value is expected.

_AT_VALUE = _table(
    _QUOTE_MARK,
    (rf"(?ai:NOT)(?=\s++(?P<value>{tokens.VALUE}){_COMPARISON_ENDS})", "write != or NOT IN for what is not that value"),
    (rf"(?ai:AND|OR){_END}(?=\s++(?:\(|{_COMPARISON_AHEAD}))", 'write a value before it, or "{found}" for the word'),
    (
        rf"(?ai:IN|BETWEEN){_END}(?=\s*+\()|(?ai:BETWEEN){_END}(?=\s++{tokens.VALUE}\s++(?ai:AND){_END})",
        "one operator stands between a field and its value: {field} {found} …",
    ),
    (rf"{tokens.KEYWORDS}{_END}", 'write "{found}" to use it as a value'),
)
_AT_OPERAND = _table(
    (_RANGE, _range),
    (_listed(_OR), _in),
    (_listed(_OR, r"[\[{]", r"[\]}]", least="+"), _in),
    (_listed(_OR, r"\{", r"\}"), _in),
    (_listed(_AND), _each),
    (r"\(\s*+(?ai:SELECT)(?!\w)", "there are no queries within queries; write IN (…) with the values"),
    (rf"\{{(?=\s*+{_COMPARISON_AHEAD})", "write {field}:{{ … }} for one nested object"),
    (r"\(", "write IN (…) for one of several values; quote a value that holds brackets"),
    (r"(?:[=<>]|!=)[=<>~!]*+", "one operator stands between a field and its value; quote a value that holds a sign"),
)


def at_value(place: Place) -> Habit | None:
    """Find a habit where a value must stand."""
    return _look_up(_AT_VALUE, place) or (None if place.operator.isalpha() else _look_up(_AT_OPERAND, place))


_AT_LIST = _table(
    (
        r"(?ai:(?:the\s++)?(?:last|past))\s++(?P<number>\d{1,6})\s*+(?P<unit>[A-Za-z]{1,8})(?!\w)",
        lambda match, place: f"write {shown(place.field)} > now-{match['number']}{_unit(match['unit'])}",
    ),
    (_listed(_OR, r"[\[{]", r"[\]}]"), _in),
    (r"[\[{]", "write ( and ) around the values"),
    (r"~", 'write IN, with "case_insensitive": true in the request for any letter case'),
)


def at_list(place: Place) -> Habit | None:
    """Find a habit where the bracket of a list must open."""
    habit = _look_up(_AT_LIST, place)
    if habit is not None:
        return habit
    values = _VALUES.match(place.text, place.at)
    if values is None:
        return None
    if place.field[0] in "\"'" and (name := _FIELD.fullmatch(values[0])):
        return Habit(*values.span(), f"write {shown(name[0])} ~ {shown(place.field)} for a value that contains another")
    word = "NOT IN" if place.operator.startswith("NOT") else "IN"
    return Habit(*values.span(), f"write ( and ) around the values: {word} ({shown(values[0])})")


_VALUES = re.compile(rf"{_MEMBER}(?>(?:\s*+,\s*+{_MEMBER})*)", re.DOTALL)
_FIELD = re.compile(tokens.FIELD, re.DOTALL)

_IN_LIST = _table(
    (rf"{_OR}|{_AND}", "write a comma between two values"),
    (
        rf"(?P<second>{_MEMBER})",
        lambda match, place: (
            "write a comma between two values"
            + (
                f', or quote a value with blanks: "{shown(f"{place.value} {match[0]}")}"'
                if place.value[:1] not in "\"'" and match[0][0] not in "\"'"
                else ""
            )
        ),
    ),
)


def in_list(place: Place) -> Habit | None:
    """Find a habit behind a member of a list."""
    if place.value[-1:] == ";":
        return Habit(place.value_end - 1, place.value_end, "write a comma between two values")
    if place.value.upper() == "SELECT":
        return Habit(place.value_at, place.value_end, "there are no queries within queries; write the values")
    return _touching(place) or _look_up(_IN_LIST, place)


_DATE_MATH = r"(?P<sign>[+\-])\s*+(?P<number>[0-9]{1,6})\s*+(?P<unit>[A-Za-z]{1,8})(?!\w)"
_IN_RANGE = _table(
    (_DATE_MATH, lambda match, place: _math(match, place)),
    (r"\d{1,2}:\d{2}[\d:.,Z+\-]*+", lambda match, place: _quoted_whole(match, place)),
    (rf",|;|&&?|\.\.+|-(?=\s)|–|(?ai:TO|OR|THROUGH|UNTIL){_END}", "write AND between the two values"),
)


def in_range(place: Place) -> Habit | None:
    """Find a habit behind the lower value of BETWEEN."""
    return _touching(place) or _zone(place) or _look_up(_IN_RANGE, place)


_AT_RANGE = _table(
    (r"[(\[{]", "write BETWEEN … AND … without brackets"),
)


def at_range(place: Place) -> Habit | None:
    """Find a habit where the lower value of BETWEEN must stand."""
    return _look_up(_AT_VALUE, place) or _look_up(_AT_RANGE, place)


# After a comparison.


def _math(match: re.Match[str], place: Place) -> str:
    if _DATE_VALUE.fullmatch(place.value) is None:
        return "nothing is calculated; a range is BETWEEN … AND …, and a value with blanks is quoted"
    unit = _unit(match["unit"])
    date = place.value if place.value.lower() == "now" else f"{place.value}||"
    return f"write date math without blanks: {shown(date)}{match['sign']}{match['number']}{unit or 'd'}"


_DATE_VALUE = re.compile(r"(?i:now)|\d{4}-[\d\-T:Z.]*")


def _comma(match: re.Match[str], place: Place) -> str:
    if place.operator in ("=", "!="):
        word = "IN" if place.operator == "=" else "NOT IN"
        return f"write {shown(place.field)} {word} ({shown(place.value)}, {shown(match['next'])})"
    return "write a comparison for each value, with AND or OR between them"


def _values_with_blanks(match: re.Match[str], place: Place) -> str:
    if place.operator.endswith(("IN", "EXISTS", "/")) or place.value[0] in "\"'" or match[0][0] in "\"'":
        return "write AND or OR between two comparisons"
    return _quoted_whole(match, place)


def _quoted_whole(match: re.Match[str], place: Place) -> str:
    """Find several words that were perhaps meant as one value: a date with its time, a time span, words."""
    whole = " ".join(f"{place.value} {match[0]}".split())
    if _DATE_AND_TIME.fullmatch(whole):
        return f"write a T between date and time: {shown(whole.replace(' ', 'T', 1))}"
    if span := _TIME_SPAN.fullmatch(whole):
        return f"write a moment as date math: now-{span['number']}{_unit(span['unit'])}"
    return f'quote a value with blanks: "{shown(whole)}"'


def _unit(word: str) -> str:
    """The letter of Elasticsearch's date math for a unit of time."""
    return "M" if word.lower().startswith("mo") or word == "M" else word[:1].lower()


_DATE_AND_TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{1,2}:\d{2}[\d:.,Z+\-]*")
_TIME_SPAN = re.compile(
    r"(?:now- ?)?(?P<number>\d{1,6}) ?(?P<unit>(?ai:y(?:ears?)?|mo(?:nths?)?|w(?:eeks?)?|d(?:ays?)?|h(?:ours?)?"
    r"|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?))(?: (?ai:ago))?"
)


_WORDS = rf"{_MEMBER}(?>(?:[ \t]++{_MEMBER}(?!{_OPERATOR_AHEAD})){{0,8}})"
_AFTER_COMPARISON = _table(
    (_COMMAND, _NO_PIPES),
    (r"&&?|∧", "write AND"),
    (r"\|\|?|∨", "write OR"),
    (rf",(?=\s*+{_COMPARISON_AHEAD})", "write AND or OR between comparisons"),
    (rf",(?=\s*+(?P<next>{tokens.VALUE}))", _comma),
    (r";(?=\s*+\Z)|,(?=\s*+\Z)", "remove it"),
    (r"[,;]", "write AND or OR between comparisons"),
    _COMMENT,
    (r"(?P<sign>[+\-])\s*+(?:(?ai:INTERVAL)\s++)?[\"']?(?P<number>[0-9]{1,6})\s*+(?P<unit>[A-Za-z]{0,8})[\"']?", _math),
    (rf"{_CLAUSE[0]}|(?ai:sort|head|top|take)(?=\s++[\w+\-])(?!{_OPERATOR_AHEAD})", _NO_CLAUSES),
    (rf"(?ai:NOT){_END}(?=\s*+(?:\(|{_COMPARISON_AHEAD}))", "write AND NOT or OR NOT"),
    (
        rf"(?:TO|to|\.\.+){_END}(?=\s*+(?P<high>{tokens.VALUE}))",
        lambda match, place: f"write {shown(place.field)} BETWEEN {shown(place.value)} AND {shown(match['high'])}",
    ),
    (rf"(?ai:where|when|if|then|with)(?=\s++{_COMPARISON_AHEAD})", "write AND or OR"),
    (_word("xor", "nor", "nand", "unless", "but", "except", "plus"), "write AND, OR or NOT"),
    (rf"!(?=\s*+(?:\(|{_COMPARISON_AHEAD}))", "write AND NOT or OR NOT"),
    (
        r"[<>]=?",
        lambda match, place: (
            "write BETWEEN, or two comparisons with AND"
            if place.operator[:1] in ("<", ">")
            else "write AND or OR between two comparisons, each with its field"
        ),
    ),
    (
        r"[=<>!~:]++",
        lambda match, place: (
            "EXISTS takes no value"
            if place.operator.endswith("EXISTS")
            else "write AND or OR between two comparisons, each with its field; quote a value that holds a sign"
        ),
    ),
    (rf"{tokens.FIELD}(?={_OPERATOR_AHEAD})", "write AND or OR before it"),
    (r"[(\[{]", "write AND or OR before it; quote a value that holds brackets"),
    (r"(?:(?ai:IS|LIKE|CONTAINS)(?!\w))", "one operator stands between a field and its value"),
    _QUOTE_MARK,
    (_WORDS, _values_with_blanks),
)
_GLUED = re.compile(r"(?:&&|\|\||[;&|])(?=[\w@\-.]*+\Z)")
_GLUED_END = re.compile(r"(?:&&?|\|\|?|;)\Z")
_NEXT_COMPARISON = re.compile(_COMPARISON_AHEAD, re.DOTALL)
_CALL_OF_NOW = re.compile(r"\(\s*\)")
_DECIMALS = re.compile(r",[0-9]")
_DECIMALS_AND = re.compile(r",[0-9]++\s++(?ai:AND)(?!\w)")
_ZONE = re.compile(r"(?:[+-][0-9]{2}(?::?[0-9]{2})?|Z)(?=[\s)}]|\Z)")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.,]+")
_TOUCHING_END = re.compile(r"(?:\([^\s()]*+\)|[^\s,;)}])*+")


_AFTER_REGEX = _table(
    (rf"[,;](?=\s*+{_COMPARISON_AHEAD})", "write AND or OR between comparisons"),
    (r"[A-Za-z]{1,4}+(?=[\s)}]|\Z)", f"a regular expression has no flags; {_ANY_CASE}"),
)


def after_regex(place: Place) -> Habit | None:
    """Find a habit behind the second slash of a regular expression."""
    return _look_up(_AFTER_REGEX, place)


def after_comparison(place: Place) -> Habit | None:
    """Find a habit where AND, OR or the end must stand."""
    return _arrow(place) or _glued(place) or _touching(place) or _zone(place) or _look_up(_AFTER_COMPARISON, place)


def _arrow(place: Place) -> Habit | None:
    """`OS->Type = a`, of which the beginning is a comparison."""
    arrow = place.text[place.field_at : place.value_end]
    if arrow != f"{place.field}>{place.value}" or place.field[-1] != "-" or not _OPERATOR.match(place.text, place.at):
        return None
    hint = f"a dot stands between the parts of a name: {shown(place.field.rstrip('-'))}.{shown(place.value)}"
    return Habit(place.field_at, place.value_end, hint)


def _zone(place: Place) -> Habit | None:
    """A zone behind a time and a blank."""
    zone = _ZONE.match(place.text, place.at)
    if zone is None or _TIME.fullmatch(place.value) is None:
        return None
    return Habit(*zone.span(), f"write the zone without a blank before it: {shown(place.value + zone[0])}")


def _glued(place: Place) -> Habit | None:
    """`a = 1&&b = 2`, `a = 1; b = 2`: the sign is part of the value, and what comes next does not fit."""
    if place.value[:1] in ("", '"', "'") or place.operator.endswith("/"):
        return None
    if _NEXT_COMPARISON.match(place.text, place.at) is not None:
        sign = _GLUED_END.search(place.value)
    elif _OPERATOR.match(place.text, place.at) or place.text[place.at : place.at + 1] in tuple(":\"'"):
        sign = _GLUED.search(place.value)
    else:
        sign = None
    if sign is None:
        return None
    word = {"&": "AND", "|": "OR"}.get(sign[0][0], "AND or OR")
    start, end = sign.span()
    return Habit(place.value_at + start, place.value_at + end, f"write {word} with a blank on either side")


# pylint: disable-next=too-many-return-statements  # one a case
def _touching(place: Place) -> Habit | None:
    """Return the text that follows a value without a blank, and so was meant as a part of it."""
    if not place.value or place.at != place.value_end or place.operator.endswith("/"):
        return None
    text, value = place.text, place.value
    mark = text[place.at : place.at + 1]
    if value.lower() in ("now", "today") and (call := _CALL_OF_NOW.match(text, place.at)):
        return Habit(*call.span(), "write now without brackets")
    decimals = _DECIMALS_AND if place.operator.endswith("BETWEEN") else _DECIMALS
    if mark == "," and value[-1:].isdigit() and decimals.match(text, place.at) and not place.operator.endswith("IN"):
        return _number(place)
    if mark in (",", ";", "", ")", "}", "&", "|"):
        return None
    rest = _TOUCHING_END.match(text, place.at)
    assert rest is not None
    if value[0] in "\"'":
        return Habit(place.at, rest.end() if mark != value[0] else place.at + 1, _hint_after_quote(place, mark))
    if value[-1] in "*?" and (closing := tokens.QUOTED.match(text, place.at)):
        return Habit(*closing.span(), f"wildcards go with values without quotes: {shown(_unquoted(place))}")
    whole = value + rest[0]
    quote = "'" if '"' in whole else '"'
    return Habit(place.value_at, rest.end(), f"quote a value with such characters: {quote}{shown(whole)}{quote}")


def _number(place: Place) -> Habit:
    """A number whose decimals or thousands stand behind a comma."""
    rest = _TOUCHING_END.match(place.text, place.at + 1)
    assert rest is not None
    hint = "write a number without separators, and a point before its decimals"
    if rest[0].isdigit() and len(rest[0]) != 3:
        hint = f"write a decimal number with a point: {shown(f'{place.value}.{rest[0]}')}"
    return Habit(place.value_at, rest.end(), hint)


def _hint_after_quote(place: Place, mark: str) -> str:
    """Hint for a quoted value that goes on behind its quote."""
    quote = place.value[0]
    if mark in "*?":
        return f"wildcards go with values without quotes: {shown(_unquoted(place))}"
    if mark == quote:
        return f"write \\{mark} for a quote within quotes"
    return f"quote the whole value; \\{quote} is a quote within quotes"


_PIECE = re.compile(rf"{tokens.DOUBLE_QUOTED}|{tokens.SINGLE_QUOTED}|[*?]|[^\s(){{}},\"'=<>!*?]++", re.DOTALL)


def _unquoted(place: Place) -> str:
    """A value of which some is in quotes, and wildcards are not, as it is written without them."""
    parts: list[str | Wildcard] = []
    at = place.value_at
    while piece := _PIECE.match(place.text, at):
        at = piece.end()
        for part in (tokens.unquote(piece[0]),) if piece[0][0] in "\"'" else tokens.bare_parts(piece[0]):
            last = parts[-1] if parts else ""
            if isinstance(part, str) and isinstance(last, str):
                parts[-1:] = [last + part]
            elif part is not Wildcard.ANY or last is not Wildcard.ANY:
                parts.append(part)
    return tokens.write_value(tuple(part for part in parts if part))
