"""Scores of a day, made of its events and written to the table ``scores``."""

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pyarrow as pa
from deltalake import write_deltalake

from lake.engine import connect
from lake.scores.rules import MIN_PAST_EVENTS, PAST_DAYS, RULES
from lake.tables import EVENTS, SCORES, Lake

MAX_SCORE = 100

_COLUMNS = (
    'user_key, user_id, day, hour, time, event_type, query, shape, "index", hits, status, network, country, user_agent'
)


@dataclass(frozen=True, slots=True)
class Reason:
    """A part of a score: the rule, its points, and what it saw, in words."""

    rule: str
    points: int
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """A user's score of a day, 1 to 100."""

    user_key: str
    score: int
    reasons: tuple[Reason, ...]


def score_day(lake: Lake, day: date) -> list[Score]:
    """Make the scores of a day, the highest first, and write them over those that the table has of it.

    Who did nothing that a rule finds has no row, which is a score of 0.

    Args:
        lake: the tables.
        day: the day, in UTC.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read or written.
    """
    with connect(lake, [EVENTS]) as engine:
        scores = _scores(engine, day)
    write_deltalake(lake.open(SCORES), _rows(day, scores), mode="overwrite", predicate=f"day = '{day}'")
    return scores


def _scores(engine: duckdb.DuckDBPyConnection, day: date) -> list[Score]:
    first = day - timedelta(PAST_DAYS)
    # Views of DuckDB take no parameters; dates are written as ISO 8601 has them.
    for name, days in (("today", f"day = DATE '{day}'"), ("past", f"day >= DATE '{first}' AND day < DATE '{day}'")):
        engine.execute(f"CREATE VIEW {name} AS SELECT {_COLUMNS} FROM events WHERE {days} AND user_key IS NOT NULL")
    engine.execute(
        "CREATE TEMP TABLE known AS SELECT user_key FROM past GROUP BY user_key HAVING count(*) >= ?", [MIN_PAST_EVENTS]
    )
    reasons: dict[str, list[Reason]] = {}
    for rule in RULES:
        parameters = {"day": day} if "$day" in rule.sql else None
        for user_key, text in engine.execute(rule.sql, parameters).fetchall():
            reasons.setdefault(user_key, []).append(Reason(rule.name, rule.points, text))
    scores = [
        Score(user_key, min(MAX_SCORE, sum(reason.points for reason in found)), tuple(found))
        for user_key, found in reasons.items()
    ]
    return sorted(scores, key=lambda score: (-score.score, score.user_key))


def _rows(day: date, scores: list[Score]) -> pa.Table:
    rows = [
        {
            "day": day,
            "user_key": score.user_key,
            "score": score.score,
            "reasons": [
                {"rule": reason.rule, "points": reason.points, "text": reason.text} for reason in score.reasons
            ],
        }
        for score in scores
    ]
    return pa.Table.from_pylist(rows, schema=SCORES.schema)
