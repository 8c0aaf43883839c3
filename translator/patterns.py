"""Cost of the patterns of a query to Elasticsearch.

Lucene makes an automaton of each value with wildcards and of each regular expression, and determinizes it by the
subset construction before it looks at any term (`org.apache.lucene.util.automaton.Operations.determinize`). A state of
the result stands for all places of the pattern at which a text may be, so a few characters can make thousands of
states: behind a `*`, each `?` after a letter doubles them. Lucene calls the places of all states together the effort
and gives a pattern up after 100,000. Nothing adds up the patterns of a query.

Why: measured on the embedded Elasticsearch, a value with wildcards takes about 14 KB of its request breaker for each
state and `*`: 140 KB for `*web*`, 9 MB for `*a????????1`, 108 MB (and 0.3 seconds) for `*a??????????1*N`, 18 MB for
`a*b*c*…*z`. A hundred of the third in one query end in a 429 for everybody. A regular expression takes little memory
but the same time, by its effort: 0.8 seconds for `.*a.{10}.*N.*`, of which that is 63,490. By the limits at which
Elasticsearch takes a pattern (`max_determinized_states`), what is counted here is Lucene's own effort to a tenth for
words, characters and their repetitions (2,790 for sixty words of six letters), and less for repeated groups.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

MAX_COST = 100_000
"""Highest cost of the patterns of one query together, in KB of Elasticsearch's memory: more than 600 times `*web*`."""
_COST_OF_STATE = 14
_COST_OF_PLACE = 2
_MAX_STEPS = 500_000
"""Highest effort of the count itself; no pattern that people write takes it."""

_Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""The characters that a place takes, by their code points: first and last of each range."""

_LAST = 0x10FFFF
_ANYTHING: _Ranges = ((0, _LAST),)
_SHORTHAND: dict[str, _Ranges] = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 10), (13, 13), (32, 32)),
}
_WILDCARD_TOKEN = re.compile(r"\\.|.", re.DOTALL)
_REPETITION = re.compile(r"[*+?]|\{(\d+)(,?)(\d*)\}")


def cost(query: dict[str, Any]) -> int:
    """Cost of an Elasticsearch query by its pattern, 0 for one without.

    A pattern that costs more than a query may is counted to a little above `MAX_COST` and no further.
    """
    if "wildcard" in query:
        return _wildcard_cost(_value(query["wildcard"]))
    if "regexp" in query:
        return _regex_cost(_value(query["regexp"]))
    return cost(query["bool"]["filter"][0]) if "bool" in query else 0


def _value(clause: dict[str, Any]) -> str:
    value = next(iter(clause.values()))
    return str(value["value"] if isinstance(value, dict) else value)


def _wildcard_cost(pattern: str) -> int:
    each = _COST_OF_STATE * pattern.count("*")
    if "?" not in pattern or not each:
        # Nothing multiplies them: there is about a state for each character.
        return each * len(pattern)
    loops = anything = places = 0
    takers: dict[str, int] = {}
    for token in _WILDCARD_TOKEN.findall(pattern):
        bit = 1 << places
        if token == "*":
            loops |= bit
            continue
        if token == "?":
            anything |= bit
        else:
            takers[token] = takers.get(token, 0) | bit
        places += 1
    # A state is the places of which any may be the next, as bits.
    known = {1}
    waiting = [1]
    effort = 0
    while waiting and each * len(known) <= MAX_COST and _COST_OF_PLACE * effort <= MAX_COST:
        state = waiting.pop()
        effort += state.bit_count()
        for taking in [anything, *[anything | taker for taker in takers.values() if state & taker]]:
            following = (state & taking) << 1 | state & loops
            if following not in known:
                known.add(following)
                waiting.append(following)
    return max(each * len(known), _COST_OF_PLACE * effort)


def _regex_cost(pattern: str) -> int:
    try:
        return _Automaton().effort(pattern)
    except _TooCostly:
        return MAX_COST + 1


class _Part(NamedTuple):
    """A part of a pattern: the places where it starts and ends, as bits, and whether it matches the empty text."""

    first: int = 0
    last: int = 0
    is_optional: bool = True


class _TooCostly(Exception):
    """The pattern alone is more than a query may cost."""


class _Automaton:  # pylint: disable=too-few-public-methods  # one count, and what it is made of
    """A regular expression as its places: what each takes, and which may come after it (Glushkov's construction)."""

    def __init__(self) -> None:
        self.ranges: list[_Ranges] = []
        self.next: list[int] = []
        self.steps = 0

    def effort(self, pattern: str) -> int:
        """The places of all states of a regular expression that `translator.regex` has written.

        Raises:
            _TooCostly: it is more than a query may have.
        """
        first = self._alternatives(pattern, 0)[0].first
        takers = self._takers()
        # A state is the places that may have taken the last character, as bits; in the first, none has.
        start = 1 << len(self.next)
        self.next.append(first)
        known = {start}
        waiting = [start]
        effort = 0
        while waiting:
            state = waiting.pop()
            effort += state.bit_count()
            self._count(state.bit_count() + len(takers))
            if effort > MAX_COST:
                raise _TooCostly
            following = 0
            for place in _bits(state):
                following |= self.next[place]
            for taking in takers:
                behind = following & taking
                if behind and behind not in known:
                    known.add(behind)
                    waiting.append(behind)
        return effort

    def _takers(self) -> set[int]:
        """For each kind of character between which the pattern tells, the places that take it."""
        places: dict[_Ranges, int] = {}
        for place, ranges in enumerate(self.ranges):
            places[ranges] = places.get(ranges, 0) | 1 << place
        ends = {end for ranges in places for low, high in ranges for end in (low, high + 1)}
        self._count(len(ends) * sum(map(len, places)))
        takers = set()
        for end in ends:
            taking = 0
            for ranges, those in places.items():
                if any(low <= end <= high for low, high in ranges):
                    taking |= those
            takers.add(taking)
        return takers

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > _MAX_STEPS:
            raise _TooCostly

    def _place(self, ranges: _Ranges) -> _Part:
        self.ranges.append(ranges)
        self.next.append(0)
        bit = 1 << (len(self.next) - 1)
        return _Part(bit, bit, False)

    def _joined(self, before: _Part, after: _Part) -> _Part:
        self._connect(before.last, after.first)
        return _Part(
            before.first | after.first if before.is_optional else before.first,
            before.last | after.last if after.is_optional else after.last,
            before.is_optional and after.is_optional,
        )

    def _repeated(self, part: _Part) -> _Part:
        self._connect(part.last, part.first)
        return part._replace(is_optional=True)

    def _connect(self, places: int, following: int) -> None:
        self._count(places.bit_count())
        for place in _bits(places):
            self.next[place] |= following

    def _alternatives(self, pattern: str, at: int) -> tuple[_Part, int]:
        """The part that starts here, and where it ends: at a closing bracket or the end of the pattern."""
        first, last, is_optional = 0, 0, False
        while True:
            part = _Part()
            while at < len(pattern) and pattern[at] not in "|)":
                unit, at = self._unit(pattern, at)
                part = self._joined(part, unit)
            first, last, is_optional = first | part.first, last | part.last, is_optional or part.is_optional
            if not pattern.startswith("|", at):
                return _Part(first, last, is_optional), at
            at += 1

    def _unit(self, pattern: str, at: int) -> tuple[_Part, int]:
        """A character, a class or a group, with its repetition."""
        part, end = self._once(pattern, at)
        repetition = _REPETITION.match(pattern, end)
        if repetition is None:
            return part, end
        sign = repetition[0]
        if sign in "*+":
            repeated = self._repeated(part)
            return (repeated if sign == "*" else repeated._replace(is_optional=part.is_optional)), repetition.end()
        if sign == "?":
            return part._replace(is_optional=True), repetition.end()
        least, most = int(repetition[1]), int(repetition[3] or repetition[1])
        whole = _Part()
        for number in range(most):
            copy = part if number == 0 else self._once(pattern, at)[0]
            whole = self._joined(whole, copy if number < least else copy._replace(is_optional=True))
        if repetition[2] and not repetition[3]:
            whole = self._joined(whole, self._repeated(self._once(pattern, at)[0]))
        return whole, repetition.end()

    def _once(self, pattern: str, at: int) -> tuple[_Part, int]:
        if pattern[at] == "(":
            part, end = self._alternatives(pattern, at + 1)
            return part, end + 1
        ranges, end = _class(pattern, at) if pattern[at] == "[" else _character(pattern, at)
        return self._place(ranges), end


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _one(character: str) -> _Ranges:
    return ((ord(character), ord(character)),)


def _character(pattern: str, at: int) -> tuple[_Ranges, int]:
    if pattern[at] == ".":
        return _ANYTHING, at + 1
    if pattern[at] != "\\":
        return _one(pattern[at]), at + 1
    letter = pattern[at + 1]
    if letter.lower() not in _SHORTHAND:
        return _one(letter), at + 2
    ranges = _SHORTHAND[letter.lower()]
    return (ranges if letter.islower() else _others(ranges)), at + 2


def _class(pattern: str, at: int) -> tuple[_Ranges, int]:
    at += 1
    is_negated = pattern[at] == "^"
    at += is_negated
    ranges: list[tuple[int, int]] = []
    while pattern[at] != "]":
        member, at = (_one("."), at + 1) if pattern[at] == "." else _character(pattern, at)
        if pattern[at] == "-":
            high, at = (_one("."), at + 2) if pattern[at + 1] == "." else _character(pattern, at + 1)
            member = ((member[0][0], high[0][1]),)
        ranges += member
    return (_others(tuple(sorted(ranges))) if is_negated else tuple(ranges)), at + 1


def _others(ranges: _Ranges) -> _Ranges:
    """All characters but those of some ranges, which are in order."""
    others = []
    start = 0
    for low, high in ranges:
        if low > start:
            others.append((start, low - 1))
        start = max(start, high + 1)
    return (*others, (start, _LAST)) if start <= _LAST else tuple(others)
