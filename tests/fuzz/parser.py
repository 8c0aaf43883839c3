"""Searches for a text that breaks the translator, guided by the code that texts reach (atheris, libFuzzer).

https://github.com/google/atheris
"""

import sys
from pathlib import Path

# Only fuzzing needs it, and it has no types.
import atheris  # type: ignore[import-untyped]  # pylint: disable=import-error

with atheris.instrument_imports(include=["translator"]):
    from translator.catalogue import Catalogue
    from translator.dsl import translate
    from translator.errors import QueryError
    from translator.format import format as write
    from translator.grammar import parse

_LONGEST = 2_048
_FOLDER = Path("build/fuzz")
"""Texts that reach code of their own are kept here for the next run, and one that breaks something."""
_CATALOGUE = Catalogue.from_mappings(
    {
        "index": {
            "properties": {
                "k": {"type": "keyword"},
                "t": {"type": "text"},
                "w": {"type": "text", "fields": {"keyword": {"type": "keyword"}}},
                "i": {"type": "ip"},
                "l": {"type": "long"},
                "h": {"type": "half_float"},
                "d": {"type": "date"},
                "n": {"type": "date_nanos"},
                "b": {"type": "boolean"},
                "f": {"type": "flattened"},
                "o": {"properties": {"k": {"type": "keyword"}}},
                "s": {"type": "nested", "properties": {"k": {"type": "keyword"}}},
            }
        }
    }
)
# libFuzzer's seeds, and the words that it puts into texts.
_SEEDS = [
    *["", "k = a*", "NOT (k != \"x\" OR t ~ 'y')", "s:{k = 1 AND NOT k EXISTS}", "l IN (1, -2) AND h < 1e3", "f.x = a"],
    *[
        "i = 10.0.0.0/8 or i >= ::1",
        "d BETWEEN 2024-05 AND now-7d/d",
        "w ~ /^(a|b)[c-d]{2,3}\\.$/",
        "n = 2024-05-03T10:00Z",
    ],
]
_DICTIONARY = [
    *[
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "EXISTS",
        "=",
        "!=",
        "<=",
        ">=",
        "!~",
        "~ /",
        "s:{",
        "}",
        "(",
        ")",
        "||+1M/d",
        "\\\\",
    ],
]


def _try(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        tree = parse(text)
        assert parse(write(tree)) == tree, write(tree)
        for case_insensitive in (False, True):
            translate(text, _CATALOGUE, case_insensitive=case_insensitive)
    except QueryError as error:
        assert 0 <= error.position <= error.end <= len(text), (error.position, error.end, len(text))
        assert error.message
        assert "\n" in str(error)


def fuzz(texts: int, seconds: int) -> None:
    """Try texts until one breaks something, or a bound is reached; libFuzzer ends the process itself.

    Args:
        texts: texts to try at most.
        seconds: time to try for at most.
    """
    _FOLDER.mkdir(parents=True, exist_ok=True)
    corpus, words = _FOLDER / "corpus", _FOLDER / "words"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(_SEEDS):
        (corpus / f"seed-{number}").write_text(seed, encoding="utf-8")
    words.write_text("".join(f'"{word}"\n' for word in _DICTIONARY), encoding="utf-8")
    options = [
        f"-runs={texts}",
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST}",
        "-timeout=5",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, f"-dict={words}", f"-artifact_prefix={_FOLDER}/", str(corpus)], _try)
    atheris.Fuzz()
