"""Word boundaries as the standard analyzer of Elasticsearch has them (Unicode Standard Annex 29).

Checked against the server for what follows: a word is a run of letters, digits and `_`, of one kind or mixed.
Ideographs, hiragana and emoji are words of one character. `.`, `:` and an apostrophe may stand between two letters;
`.`, an apostrophe, `,` and `;` between two digits.
"""

import re

_ALONE = r"\u3005-\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001f000-\U0001faff\U00020000-\U000323af"
_BETWEEN_LETTERS = ".:'\u2018\u2019\u2024\ufe52\uff07\uff0e\u00b7\u2027"
_BETWEEN_DIGITS = ".,;'\u2018\u2019\u2024\ufe52\uff07\uff0e\u066c\u060c"
_EXTENDING = "\u0300-\u036f\u200c\u200d\ufe0e\ufe0f"
_ONE_WORD = re.compile(
    # A sign at an end may be one that stands inside the word of which this is a part.
    rf"[{_BETWEEN_LETTERS}{_BETWEEN_DIGITS}]?"
    rf"(?:[{_ALONE}][{_EXTENDING}]*+|"
    # Atomic: Python before 3.11.5 gets possessive groups wrong.
    rf"(?>(?:(?![{_ALONE}])[\w{_EXTENDING}]|(?<=[^\W\d_])[{_BETWEEN_LETTERS}](?=[^\W\d_])"
    rf"|(?<=\d)[{_BETWEEN_DIGITS}](?=\d))*))"
    rf"[{_BETWEEN_LETTERS}{_BETWEEN_DIGITS}]?"
)


def are_several(text: str) -> bool:
    """Whether no one word can hold the text, because the analyzer cuts inside it or at its ends."""
    return _ONE_WORD.fullmatch(text) is None
