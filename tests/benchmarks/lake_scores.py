"""Scores over a month of made-up people, with scenarios hidden in it: recall, and false alarms a user and month.

Made-up people work at their own hours, with habits of their own, and change them now and then: travel, another client,
another index, a busy day, a mistyped afternoon, a nightly export. ``python -m tests.benchmarks.lake_scores --seed 1``.
"""

import argparse
import math
import random
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import orjson

from lake.scores.rules import PAST_DAYS
from lake.scores.score import score_day
from lake.settings import LakeSettings
from lake.tables import Lake
from tests.support.lake_month import DAY, Month, key

THRESHOLD = 40
_SCORED_DAYS = 28
_EACH = 5
"""How often each scenario is hidden."""

_INDICES = ("devices", "software", "people", "networks", "licences")
_COUNTRIES = ("DE", "FR", "NL", "TR")
_CLIENTS = ("curl/8", "python-requests/2", "Mozilla/5.0", "sluice-cli/1")


class _Person:  # pylint: disable=too-few-public-methods,too-many-instance-attributes  # habits
    """Somebody with habits."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name = name
        self._chance = chance
        self._start = chance.randint(6, 11)
        self._rate = chance.lognormvariate(1.0, 0.6)
        self._indices = chance.sample(_INDICES, chance.randint(1, 3))
        self._country = chance.choice(_COUNTRIES)
        self._client = chance.choice(_CLIENTS)
        self._network = f"198.51.{chance.randint(0, 250)}.0/24"
        self._exports = chance.random() < 0.1
        self._hosts = [f"host{chance.randint(0, 9_999):04}" for _ in range(chance.randint(5, 60))]

    def work(self, month: Month, day: date) -> None:
        """Add a day's events."""
        chance = self._chance
        if day.weekday() >= 5 and chance.random() < 0.9:
            return
        busy = 3.0 if chance.random() < 0.03 else 1.0
        country = chance.choice(_COUNTRIES) if chance.random() < 0.005 else self._country
        client = chance.choice(_CLIENTS) if chance.random() < 0.02 else self._client
        network = f"203.0.{chance.randint(0, 250)}.0/24" if chance.random() < 0.05 else self._network
        if chance.random() < 0.01:
            self._indices = [*self._indices, chance.choice(_INDICES)]
        origin = {"country": country, "user_agent": client, "network": network}
        for hour in range(self._start, self._start + 8):
            for _ in range(_poisson(chance, self._rate * busy)):
                query = f"Hostname = {chance.choice(self._hosts)}"
                wrong = chance.random() < 0.03
                month.search(
                    self.name,
                    day,
                    hour,
                    **origin,
                    query=query,
                    index=chance.choice(self._indices),
                    hits=None if wrong else int(chance.lognormvariate(1.5, 1.5)),
                    event_type="query.rejected" if wrong else "query.executed",
                    status=400 if wrong else 200,
                )
        if chance.random() < 0.005:
            month.search(self.name, day, self._start + 3, **origin, query="Notes ~ password", shape="Notes ~ ?")
        if self._exports:
            month.search(self.name, day, 2, **origin, query="", shape="", hits=None, index=self._indices[0])

    def usual(self) -> dict[str, str]:
        """Where this person is usually seen."""
        return {"country": self._country, "user_agent": self._client, "network": self._network}


def _poisson(chance: random.Random, rate: float) -> int:
    """A number of events at a rate (Knuth, The Art of Computer Programming, volume 2, 3.4.1)."""
    limit, product, number = math.exp(-rate), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number


_Scenario = Callable[[Month, _Person, date], None]


def _new_account_exports(month: Month, person: _Person, day: date) -> None:
    month.search(f"new-{person.name}", day, 10, **person.usual(), query="", shape="", hits=None)


def _stolen_abroad(month: Month, person: _Person, day: date) -> None:
    for _ in range(5):
        month.search(person.name, day, 10, country="NZ", user_agent="stolen/1", network="100.64.1.0/24")


def _stolen_new_index(month: Month, person: _Person, day: date) -> None:
    origin = {"country": person.usual()["country"], "user_agent": "stolen/2", "network": "100.64.2.0/24"}
    month.search(person.name, day, 10, **origin, index="payroll")


def _abroad_new_index(month: Month, person: _Person, day: date) -> None:
    month.search(person.name, day, 10, **(person.usual() | {"country": "AQ"}), index="payroll")


def _many_searches(month: Month, person: _Person, day: date) -> None:
    for _ in range(400):
        month.search(person.name, day, 23, **person.usual())


def _many_rows(month: Month, person: _Person, day: date) -> None:
    month.search(person.name, day, 12, **person.usual(), hits=200_000)


def _many_failures(month: Month, person: _Person, day: date) -> None:
    for _ in range(200):
        month.search(person.name, day, 12, **person.usual(), event_type="query.denied", status=403, hits=None)


def _refused_then_granted(month: Month, person: _Person, day: date) -> None:
    month.search(
        person.name, day, 9, **person.usual(), index="payroll", event_type="query.denied", status=403, hits=None
    )
    month.search(person.name, day, 15, **person.usual(), index="payroll")


def _sweep(month: Month, person: _Person, day: date) -> None:
    for number in range(300):
        month.search(person.name, day, 8 + number % 10, **person.usual(), query=f"Hostname = swept{number:04}")


def _stream(month: Month, person: _Person, day: date) -> None:
    for _ in range(3):
        month.search(person.name, day, 12, **person.usual(), query="", shape="", hits=None)


def _secrets(month: Month, person: _Person, day: date) -> None:
    for word in ("password", "secret", "api_key", "private_key"):
        month.search(person.name, day, 12, **person.usual(), query=f"Notes ~ {word}", shape="Notes ~ ?")


def _own_trail(month: Month, person: _Person, day: date) -> None:
    month.search(
        person.name,
        day,
        12,
        **person.usual(),
        index="query-logs-*",
        query=f"user.name = {person.name}",
        shape="user.name = ?",
    )


_SCENARIOS: tuple[_Scenario, ...] = (
    _new_account_exports,
    _stolen_abroad,
    _stolen_new_index,
    _abroad_new_index,
    _many_searches,
    _many_rows,
    _many_failures,
    _refused_then_granted,
    _sweep,
    _stream,
    _secrets,
    _own_trail,
)


def measure(seed: int, people: int) -> dict[str, object]:
    """Score a month, and count what was found.

    Args:
        seed: of all that is by chance.
        people: how many there are.

    Returns:
        ``recall`` (0 to 1), ``false_alarms`` (a user and month), and what was missed, by scenario.
    """
    month = Month()
    crowd = [_Person(f"person{number:04}", random.Random(f"{seed}-{number}")) for number in range(people)]
    for back in range(_SCORED_DAYS + PAST_DAYS - 1, -1, -1):
        for person in crowd:
            person.work(month, DAY - timedelta(back))
    hidden = _hide(month, crowd, random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(LakeSettings(url=str(Path(folder) / "lake")))
        month.write(lake)
        alarms = {
            (score.user_key, day)
            for day in (DAY - timedelta(back) for back in range(_SCORED_DAYS))
            for score in score_day(lake, day)
            if score.score >= THRESHOLD
        }
    missed = sorted(name for place, name in hidden.items() if place not in alarms)
    return {
        "recall": round(1 - len(missed) / len(hidden), 3),
        "false_alarms": round(len(alarms - hidden.keys()) / people, 3),
        "missed": missed,
    }


def _hide(month: Month, crowd: list[_Person], chance: random.Random) -> dict[tuple[str, date], str]:
    """Add each scenario some times, on days and for people by chance; gives each one's user key, day and name."""
    hidden: dict[tuple[str, date], str] = {}
    victims = iter(chance.sample(crowd, len(_SCENARIOS) * _EACH))
    for scenario in _SCENARIOS:
        for _ in range(_EACH):
            person, day = next(victims), DAY - timedelta(chance.randrange(_SCORED_DAYS))
            scenario(month, person, day)
            name = f"new-{person.name}" if scenario is _new_account_exports else person.name
            hidden[key(name), day] = scenario.__name__.strip("_")
    return hidden


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=200)
    options = parser.parse_args()
    print(orjson.dumps(measure(options.seed, options.people)).decode())


if __name__ == "__main__":
    main()
