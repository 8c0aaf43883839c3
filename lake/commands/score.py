"""``score``: how unlike themselves people behaved on a day, with reasons."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from lake import lineage
from lake.day_arguments import a_day
from lake.scores.score import MAX_SCORE, score_day
from lake.settings import LakeSettings
from lake.tables import EVENTS, SCORES, Lake

_THRESHOLD = 40


def main(arguments: Sequence[str]) -> int:
    """Write the scores of a day and print those that are high."""
    yesterday = datetime.now(UTC).date() - timedelta(1)
    parser = argparse.ArgumentParser(
        prog="python -m lake score",
        description="Say how unlike themselves people behaved on a day, with reasons, and write it to the lake.",
    )
    parser.add_argument(
        "--day", type=a_day, default=yesterday, metavar="DAY", help="the day, in UTC (default: yesterday)"
    )
    parser.add_argument(
        "--threshold",
        type=_threshold,
        default=_THRESHOLD,
        metavar="N",
        help=f"print scores from here on, 1 to {MAX_SCORE} (default: {_THRESHOLD}); all are written",
    )
    options = parser.parse_args(arguments)
    settings = LakeSettings.load()
    with lineage.run(settings, "score", [EVENTS], [SCORES]):
        scores = score_day(Lake(settings), options.day)
    high = [score for score in scores if score.score >= options.threshold]
    for score in high:
        print(f"{score.score:3}  {score.user_key}")
        for reason in score.reasons:
            print(f"     {reason.rule} ({reason.points}): {reason.text}")
    print(f"{options.day}: {len(scores)} users with a score, {len(high)} of {options.threshold} or more")
    return 0


def _threshold(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MAX_SCORE:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MAX_SCORE}")
    return int(text)
