"""Regular expressions as people write them, in Lucene's dialect.

Lucene (`org.apache.lucene.util.automaton.RegExp`) matches whole values and does not refuse what it lacks but reads
it as something else, so every construct that means something else there is refused here. Elasticsearch is asked with
`flags: NONE`, which leaves of the optional syntax only the quotation mark; that is escaped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from translator.errors import QuerySyntaxError, TooComplex
from translator.limits import MAX_DEPTH, MAX_REGEX, MAX_REGEX_SIZE

_TOKEN = re.compile(r"\\.|\\|\{(\d{1,9})(?:(,)(\d{1,9})?)?\}|.", re.DOTALL)
_CLASS_MEMBER = re.compile(r"\\.|.", re.DOTALL)
_SHORTHAND = frozenset("dDsSwW")


def to_lucene(pattern: str, position: int = 0, *, any_case: bool = False) -> str:
    r"""Translate a pattern that is looked for anywhere in a value.

    An alternative is anchored where it starts with `^` or ends with `$`, outside brackets; elsewhere `.*` is added,
    since Lucene's own anchors are implicit. Alternatives with the same open ends share them: each with ends of its own
    would make an automaton that Elasticsearch refuses from eight plain words on.

    Args:
        pattern: the text between the slashes; `\/` is a slash.
        position: where it stands in the query, for errors.
        any_case: whether it will be matched without regard to the case of letters. Lucene then ignores that of single
            letters but not of ranges, which are written for both cases.

    Raises:
        QuerySyntaxError: it holds what Lucene lacks or what is no regular expression.
        TooComplex: it is too long, or would be with its repetitions written out.
    """
    if len(pattern) > MAX_REGEX:
        message = f"a regular expression has at most {MAX_REGEX:,} characters; this one has {len(pattern):,}"
        raise TooComplex(message, position, position + len(pattern))
    lucene = _Translation(pattern, position, any_case).lucene()
    if len(lucene) > MAX_REGEX:
        message = (
            f"the regular expression has more than {MAX_REGEX:,} characters when .* stands for its missing anchors"
        )
        raise TooComplex(message, position, position + len(pattern))
    return lucene


def has_white_space(pattern: str) -> bool:
    """Whether a pattern asks for white space, outside of the choices in square brackets."""
    in_class = False
    for token in _TOKEN.finditer(pattern):
        word = token[0]
        if word in "[]":
            in_class = word == "["
        elif not in_class and (word == r"\s" or word[-1].isspace()):
            return True
    return False


def _between(start: str, end: str, alternatives: list[str]) -> str:
    if len(alternatives) == 1:
        return start + alternatives[0] + end or "()"
    together = "|".join(text or "()" for text in alternatives)
    return f"{start}({together}){end}" if start or end else together


@dataclass(slots=True)
class _Group:
    """An open bracket, and how many characters it stands for with its repetitions written out.

    Attributes:
        position: where it opens.
        size: of all but the last part.
        unit: of the last part; 0 if there is nothing to repeat.
    """

    position: int
    size: int = 0
    unit: int = 0


class _Translation:  # pylint: disable=too-few-public-methods,too-many-instance-attributes  # the state of one scan
    def __init__(self, pattern: str, position: int, any_case: bool) -> None:
        self.any_case = any_case
        self.pattern = pattern
        self.position = position
        self.alternatives: dict[tuple[str, str], list[str]] = {}
        self.out: list[str] = []
        self.anchored = False
        self.ended = False
        self.repeated = False
        self.groups = [_Group(0)]

    def lucene(self) -> str:
        """The whole pattern in Lucene's dialect."""
        at = 0
        while at < len(self.pattern):
            token = _TOKEN.match(self.pattern, at)
            assert token is not None  # any character is a token
            at = self._take(token)
        if len(self.groups) > 1:
            raise self._error("unclosed bracket in the regular expression", self.groups[-1].position, 1)
        self._end_alternative(at)
        return "|".join(_between(*ends, same) for ends, same in self.alternatives.items())

    def _take(self, token: re.Match[str]) -> int:
        word, at, end = token[0], token.start(), token.end()
        if self.ended and word != "|":
            raise self._error("$ stands only at the end of an alternative; write \\$ for the character", at - 1, 1)
        if word[0] in "*+?{":
            self._repeat(token)
            return end
        self.repeated = False
        if word in "^$":
            self._anchor(word, at)
        elif word == "|":
            self._end_alternative(at)
        elif word == "(":
            self._open(at)
        elif word == ")":
            self._close(at)
        elif word == "[":
            return self._class(at)
        elif word == '"':
            self._unit('\\"')
        else:
            if word[0] == "\\":
                self._check_escape(word, at)
            self._unit(word)
        return end

    def _anchor(self, word: str, at: int) -> None:
        if len(self.groups) > 1 or (word == "^" and (self.out or self.anchored)):
            side = "start" if word == "^" else "end"
            message = (
                f"{word} stands only at the {side} of an alternative outside brackets; write \\{word} for the character"
            )
            raise self._error(message, at, 1)
        self.anchored |= word == "^"
        self.ended |= word == "$"

    def _unit(self, text: str) -> None:
        group = self.groups[-1]
        group.size += group.unit
        group.unit = 1
        self.out.append(text)

    def _repeat(self, token: re.Match[str]) -> None:
        word, at = token[0], token.start()
        group = self.groups[-1]
        if word == "{":
            message = "a repetition is {n}, {n,} or {n,m}; write \\{ for the character"
            raise self._error(message, at, 1)
        if self.repeated:
            message = "Lucene has no lazy or possessive repetition, and one repetition cannot follow another"
            raise self._error(message, at, len(word))
        if not group.unit:
            raise self._error(f"nothing to repeat before {word}", at, len(word))
        low, comma, high = token[1], token[2], token[3]
        if low:
            if high and int(high) < int(low):
                raise self._error("the repetition's upper bound is below its lower one", at, len(word))
            times = int(high or low) + (1 if comma and not high else 0)
            group.unit *= max(1, times)
            self._check_size(at, len(word))
        self.out.append(word)
        self.repeated = True

    def _open(self, at: int) -> None:
        if self.pattern.startswith("?", at + 1):
            raise self._error("Lucene has no (?…) groups and flags", at, 2)
        if len(self.groups) > MAX_DEPTH:
            message = f"brackets are nested more than {MAX_DEPTH} deep"
            raise TooComplex(message, self.position + at, self.position + at + 1)
        self.groups.append(_Group(at))
        self.out.append("(")

    def _close(self, at: int) -> None:
        if len(self.groups) == 1:
            raise self._error(") closes no bracket in the regular expression; write \\) for the character", at, 1)
        self._end_alternative(at)
        inner = self.groups.pop()
        group = self.groups[-1]
        group.size += group.unit
        group.unit = inner.size
        self._check_size(inner.position, at + 1 - inner.position)
        self.out.append(")")

    def _end_alternative(self, at: int) -> None:
        group = self.groups[-1]
        outermost = len(self.groups) == 1
        if not group.unit and not (outermost and (self.anchored or self.ended)):
            raise self._error(
                "an alternative of the regular expression is empty", at, 1 if at < len(self.pattern) else 0
            )
        group.size += group.unit
        group.unit = 0
        if not outermost:
            if self.pattern[at] == "|":
                self.out.append("|")
            return
        start, end = self._ends()
        self.alternatives.setdefault((start, end), []).append("".join(self.out))
        self.out.clear()
        self.anchored = self.ended = False

    def _ends(self) -> tuple[str, str]:
        """Patterns for the anchors that an alternative lacks; `.*` as people write it at an end is the same."""
        start, end = "" if self.anchored else ".*", "" if self.ended else ".*"
        while self.out[:2] == [".", "*"]:
            start = ".*"
            del self.out[:2]
        while self.out[-2:] == [".", "*"]:
            end = ".*"
            del self.out[-2:]
        return (start, end) if self.out or not start else (".*", "")

    def _class(self, at: int) -> int:
        members = _CLASS_MEMBER.finditer(self.pattern, at + 1)
        written = ["["]
        first = next(members, None)
        if first is not None and first[0] == "^":
            written.append("^")
            first = next(members, None)
        if first is None:
            raise self._error("unclosed [ in the regular expression", at, 1)
        if first[0] == "]":
            raise self._error("an empty [] matches nothing; write \\] for the character", first.start(), 1)
        end = self._class_members(first, members, written)
        if end is None:
            raise self._error("unclosed [ in the regular expression", at, 1)
        self._unit("".join(written))
        return end

    def _class_members(
        self, first: re.Match[str] | None, members: Iterator[re.Match[str]], written: list[str]
    ) -> int | None:
        low: re.Match[str] | None = None
        member = first
        while member is not None:
            word, at = member[0], member.start()
            if word == "]":
                written.append("]")
                return member.end()
            if word == "[" and self.pattern.startswith(("[:", "[.", "[="), at):
                raise self._error("Lucene has no named classes such as [:alpha:]", at, 2)
            if word[0] == "\\":
                self._check_escape(word, at)
            if word == "-" and low is not None and not self.pattern.startswith("]", at + 1):
                high = next(members, None)
                if high is None:
                    return None
                self._range(low, high, written)
                low = None
            else:
                # Lucene takes what stands on both sides of a hyphen for a range, also a bracket.
                written.append("\\-" if word == "-" else word)
                low = None if word == "-" else member
            member = next(members, None)
        return None

    def _range(self, low: re.Match[str], high: re.Match[str], written: list[str]) -> None:
        if high[0][0] == "\\":
            self._check_escape(high[0], high.start())
        start = self.position + low.start()
        ends = (low[0], high[0])
        if any(len(word) == 2 and word[1] in _SHORTHAND for word in ends) or ends[0][-1] > ends[1][-1]:
            message = f"{low[0]}-{high[0]} is no range of characters"
            raise QuerySyntaxError(message, start, self.position + high.end())
        written.append("-\\-" if high[0] == "-" else f"-{high[0]}")
        if self.any_case:
            for letters, swap in (("AZ", str.lower), ("az", str.upper)):
                first, last = max(ends[0][-1], letters[0]), min(ends[1][-1], letters[1])
                if first <= last:
                    written.append(f"{swap(first)}-{swap(last)}")

    def _check_size(self, at: int, length: int) -> None:
        if self.groups[-1].size + self.groups[-1].unit > MAX_REGEX_SIZE:
            message = (
                f"with its repetitions written out, the regular expression has more than {MAX_REGEX_SIZE:,} characters"
            )
            raise TooComplex(message, self.position + at, self.position + at + length)

    def _check_escape(self, word: str, at: int) -> None:
        if len(word) == 1:
            raise self._error("a \\ at the end of the regular expression escapes nothing", at, 1)
        if word[1].isalnum() and word[1] not in _SHORTHAND:
            message = "Lucene has no back-references" if word[1].isdigit() else f"Lucene has no escape {word}"
            raise self._error(message, at, len(word))

    def _error(self, message: str, at: int, length: int) -> QuerySyntaxError:
        return QuerySyntaxError(message, self.position + at, self.position + at + length)
