"""A compaction, or an erasure, to be killed: ``python -m tests.support.lake_victim compact|erase FOLDER``.

It says when it begins, as to start Python takes longer than the work.
"""

import sys
from datetime import timedelta
from pathlib import Path

from lake.compaction import compact
from lake.erasure.erase import erase
from lake.erasure.name import Name
from lake.erasure.person import Person
from lake.user_key import UserKeys
from tests.support.lake import lake_in, settings_in

VICTIM = "jane.doe"


def do(work: str, folder: Path) -> None:
    """Do it to its end."""
    lake = lake_in(folder)
    if work == "compact":
        for _ in compact(lake, timedelta()):
            pass
    else:
        key = UserKeys(settings_in(folder)).of(VICTIM)
        erase(lake, Person(key, Name(VICTIM)), "request 1", "operator@host", lambda change: None)


if __name__ == "__main__":
    print("begins", flush=True)
    do(sys.argv[1], Path(sys.argv[2]))
