"""`erase`: count one person's records, or delete them and prove that nothing is left."""

import argparse
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from contracts.query_event.command import operator
from elastic.arguments import reason, user_name
from indexing.backlog import count_members
from kit.kafka import KafkaSettings
from lake import lineage
from lake.erasure.account import Erasure, erasures
from lake.erasure.erase import Found, erase, find
from lake.erasure.name import Name
from lake.erasure.person import Person
from lake.erasure.proof import hits
from lake.errors import LakeError
from lake.maintenance import alone
from lake.marts.build import rebuild
from lake.marts.settings import MartSettings
from lake.registry import ALL
from lake.serve.settings import ServeSettings
from lake.tables import EVENTS, Lake
from lake.trail import record
from lake.user_key import UserKeys
from lake.vacuum import vacuum_now


def main(arguments: Sequence[str]) -> int:
    """Count, or erase and prove; the status is 1 too where the name is still somewhere below the lake."""
    parser = argparse.ArgumentParser(
        prog="python -m lake erase",
        description="Count the records of one person in the lake, or delete them and prove that the name is nowhere "
        "below it. Stop every `serve` before, and suspend the other jobs.",
    )
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", type=_user, metavar="NAME", help="what this user did")
    whose.add_argument(
        "--again",
        action="store_true",
        help="after a restore of the tables, with the newest `erasures`: do again what they lack, by the keyed hash of "
        "the names; names in texts of others need --user",
    )
    parser.add_argument(
        "--delete", type=reason, metavar="REASON", help="delete them, for this reason, which must not name the person"
    )
    options = parser.parse_args(arguments)
    if options.again and options.delete:
        parser.error("--again has its reasons from the erasures")
    if options.user and options.delete and options.user.is_in(options.delete.encode()):
        parser.error("argument --delete: must not name the person")
    settings = MartSettings.load()
    lake = Lake(settings)
    if options.again:
        return _again(lake, settings)
    person = Person(UserKeys(settings).of(options.user.text), options.user)
    if options.delete is None:
        return _count(find(lake, person))
    with alone(settings), lineage.run(settings, "erase", ALL, ALL):
        began = _see_no_writer()
        found = erase(lake, person, options.delete, operator(), record)
        _clean(lake, settings, erasures(lake, person.key), began)
        print(f"erased {found.taken.total()} records, and the name in {found.mentions.total()} of others")
        return _prove(lake, options.user)


def _user(text: str) -> Name:
    return Name(user_name(text))


def _count(found: Found) -> int:
    for (table, day), count in sorted(found.taken.items()):
        print(f"{table}  {day}  {count}")
    for day, count in sorted(found.mentions.items()):
        print(f"named by others  {day}  {count}")
    print(
        f"found {found.taken.total()} records, and the name in {found.mentions.total()} of others; "
        "--delete REASON deletes them"
    )
    return 0


def _again(lake: Lake, settings: MartSettings) -> int:
    with alone(settings), lineage.run(settings, "erase", ALL, ALL):
        began = _see_no_writer()
        events = lake.open(EVENTS)
        lost = [each for each in erasures(lake) if not each.is_done(events)]
        taken = 0
        for erasure in lost:
            person = Person(erasure.user_key, None)
            taken += erase(lake, person, erasure.reason, erasure.erased_by, record).taken.total()
        if lost:
            _clean(lake, settings, lost, began)
    print(f"did {len(lost)} erasures again, of {taken} records")
    return 0


def _see_no_writer() -> datetime:
    """Make sure that no writer is a member of the group.

    Returns:
        A time before which nobody wrote: unused files from before it are nobody's.

    Raises:
        LakeError: there is one.
        confluent_kafka.KafkaException: Kafka does not say.
    """
    now = datetime.now(UTC)
    group_id = ServeSettings.load().group_id
    if members := count_members(KafkaSettings.load(), group_id):
        raise LakeError(
            f"nothing was changed: the group {group_id} has {members} members; stop every `serve`, and run this again: "
            "one that was killed is a member for eight seconds more"
        )
    return now


def _clean(lake: Lake, settings: MartSettings, done: Iterable[Erasure], before: datetime) -> None:
    """Make the marts of these days again, and delete what the tables do not need any more."""
    days = {day for erasure in done for day in erasure.days}
    if days:
        rebuild(settings, days)
    for spec in ALL:
        if lake.exists(spec):
            vacuum_now(lake, spec, before)
            table = lake.open(spec)
            table.create_checkpoint()
            table.cleanup_metadata()


def _prove(lake: Lake, name: Name) -> int:
    """Search every file, and say where the name still is."""
    total = 0
    for path, count in hits(lake, name):
        total += count
        print(f"hits {count}  {path}")
    print(f"hits {total}")
    return 1 if total else 0
