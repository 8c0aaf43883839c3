"""Each rule finds what it is for, and is silent where somebody behaves as usual."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from lake.scores.rules import RULES
from lake.scores.score import score_day
from tests.support.lake import lake_in
from tests.support.lake_month import DAY, Month, key

BEFORE = DAY - timedelta(7)

Story = Callable[[Month, str], None]


def _usual(month: Month, user: str) -> None:
    month.usual(user)


def _newcomer(month: Month, user: str) -> None:
    month.search(user)


def _other_client(month: Month, user: str) -> None:
    month.search(user, user_agent="python/3", network="203.0.113.0/24")


def _other_client_at_home(month: Month, user: str) -> None:
    month.search(user, user_agent="python/3")


def _abroad(month: Month, user: str) -> None:
    month.search(user, country="NZ")


def _abroad_last_week(month: Month, user: str) -> None:
    month.search(user, BEFORE, country="NZ")


def _other_index(month: Month, user: str) -> None:
    month.search(user, index="secrets-of-state")


def _other_index_last_week(month: Month, user: str) -> None:
    month.search(user, BEFORE, index="secrets-of-state")


def _other_index_refused(month: Month, user: str) -> None:
    month.search(user, index="secrets-of-state", event_type="query.denied", status=403)


def _night(month: Month, user: str) -> None:
    for _ in range(100):
        month.search(user, hour=3)


def _nights_of_four_weeks(month: Month, user: str) -> None:
    for week in range(1, 5):
        for _ in range(90):
            month.search(user, DAY - timedelta(7 * week), hour=3)


def _many_rows(month: Month, user: str) -> None:
    month.search(user, hour=11, hits=50_000)


def _many_rows_every_day(month: Month, user: str) -> None:
    for back in range(1, 29):
        month.search(user, DAY - timedelta(back), hour=11, hits=40_000)


def _failures(month: Month, user: str) -> None:
    for _ in range(30):
        month.search(user, event_type="query.rejected", status=400, hits=None)


def _failures_last_week(month: Month, user: str) -> None:
    for _ in range(25):
        month.search(user, BEFORE, event_type="query.rejected", status=400, hits=None)


def _refused(month: Month, user: str) -> None:
    month.search(user, hour=9, index="people", event_type="query.denied", status=403, hits=None)


def _granted(month: Month, user: str) -> None:
    month.search(user, hour=15, index="people")


def _granted_last_week(month: Month, user: str) -> None:
    month.search(user, BEFORE, index="people")


def _sweep(month: Month, user: str) -> None:
    for number in range(150):
        month.search(user, hour=9 + number % 8, query=f"Hostname = host{number:03}")


def _sweep_last_week(month: Month, user: str) -> None:
    for number in range(140):
        month.search(user, BEFORE, hour=9 + number % 8, query=f"Hostname = host{number:03}")


def _stream_of_everything(month: Month, user: str) -> None:
    month.search(user, query="", shape="", hits=None, took_ms=None)


def _stream_of_everything_last_week(month: Month, user: str) -> None:
    month.search(user, BEFORE, query="", shape="", hits=None, took_ms=None)


def _page_of_everything(month: Month, user: str) -> None:
    month.search(user, query="", shape="", hits=4)


def _secrets(month: Month, user: str) -> None:
    for word in ("password", "api_key", "private-key"):
        month.search(user, query=f"Notes ~ {word}", shape="Notes ~ ?")


def _one_secret(month: Month, user: str) -> None:
    month.search(user, query="Notes ~ password", shape="Notes ~ ?")


def _trail_for_self(month: Month, user: str) -> None:
    month.search(user, index="query-logs-*", query=f"user.name = {user.upper()}", shape="user.name = ?")


def _trail_for_another(month: Month, user: str) -> None:
    month.search(user, index="query-logs-*", query="user.name = grace", shape="user.name = ?")


def _seldom_seen(month: Month, user: str) -> None:
    month.search(user, BEFORE)


FOUND: list[tuple[str, tuple[Story, ...], str]] = [
    ("new user", (_newcomer,), "never seen in the 28 days before"),
    (
        "new client",
        (_usual, _other_client),
        "a client and a network that were not seen in the 28 days before: 1 events",
    ),
    ("first country", (_usual, _abroad), "first events from NZ"),
    ("new index", (_usual, _other_index), "first searches in secrets-of-state"),
    ("more searches", (_usual, _night), "100 searches from 3:00 UTC on; 0 is the median of that hour of the week"),
    ("more rows", (_usual, _many_rows), "50009 rows found from 11:00 UTC on; 9 is the median of that hour of the week"),
    ("many failures", (_usual, _failures), "30 of 54 requests failed; 0 a day at most before"),
    ("refused then granted", (_usual, _refused, _granted), "refused, and then let in: people"),
    ("sweep", (_usual, _sweep), "151 different values in one kind of search; 1 a day at most before"),
    (
        "stream of everything",
        (_usual, _stream_of_everything),
        "1 streams of everything in devices; 0 a day at most before",
    ),
    ("secrets", (_usual, _secrets), "3 different searches for secrets; 0 a day at most before"),
    ("own trail", (_usual, _trail_for_self), "searched the audit trail for themselves: 1 searches"),
]

SILENT: list[tuple[str, tuple[Story, ...]]] = [
    ("new user", (_usual,)),
    ("new client", (_usual, _other_client_at_home)),
    ("first country", (_usual, _abroad, _abroad_last_week)),
    ("new index", (_usual, _other_index, _other_index_last_week)),
    ("new index", (_usual, _other_index_refused)),
    ("more searches", (_usual, _night, _nights_of_four_weeks)),
    ("more rows", (_usual, _many_rows, _many_rows_every_day)),
    ("many failures", (_usual, _failures, _failures_last_week)),
    ("refused then granted", (_usual, _refused)),
    ("refused then granted", (_usual, _refused, _granted, _granted_last_week)),
    ("sweep", (_usual, _sweep, _sweep_last_week)),
    ("stream of everything", (_usual, _page_of_everything)),
    ("stream of everything", (_usual, _stream_of_everything, _stream_of_everything_last_week)),
    ("secrets", (_usual, _one_secret)),
    ("own trail", (_usual, _trail_for_another)),
    # Who has hardly been seen is compared with nobody.
    ("first country", (_abroad,)),
    ("new index", (_other_index, _seldom_seen)),
]


@pytest.fixture(scope="module")
def reasons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Every case's rules with their reasons, by its user; all are in one lake."""
    month = Month()
    for kind, cases in (("found", [case[1] for case in FOUND]), ("silent", [case[1] for case in SILENT])):
        for number, stories in enumerate(cases):
            for story in stories:
                story(month, f"{kind}-{number}")
    month.search("nobody", user_id=None, user_key=None)
    lake = lake_in(tmp_path_factory.mktemp("rules"))
    month.write(lake)
    return {score.user_key: {reason.rule: reason.text for reason in score.reasons} for score in score_day(lake, DAY)}


@pytest.mark.parametrize("number", range(len(FOUND)), ids=[case[0] for case in FOUND])
def test_a_rule_finds_what_it_is_for_and_says_so(number: int, reasons: dict[str, dict[str, str]]) -> None:
    rule, _, reason = FOUND[number]

    assert reasons[key(f"found-{number}")][rule] == reason


@pytest.mark.parametrize("number", range(len(SILENT)), ids=[f"{case[0]}-{len(case[1])}" for case in SILENT])
def test_a_rule_is_silent_about_what_is_usual(number: int, reasons: dict[str, dict[str, str]]) -> None:
    assert SILENT[number][0] not in reasons.get(key(f"silent-{number}"), {})


def test_each_rule_is_tested_both_ways() -> None:
    names = {rule.name for rule in RULES}

    assert {case[0] for case in FOUND} == names and {case[0] for case in SILENT} == names


def test_a_usual_day_and_an_unknown_caller_have_no_score(reasons: dict[str, dict[str, str]]) -> None:
    usual_day = SILENT.index(("new user", (_usual,)))

    assert key(f"silent-{usual_day}") not in reasons and None not in reasons
