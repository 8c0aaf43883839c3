"""Subject of an erasure, and the SQL that finds the person's events and those that name the person."""

from dataclasses import dataclass

import pyarrow as pa

from lake.engine import quoted
from lake.erasure.name import Name
from lake.tables import EVENTS

NOT_TEXTS = ("event_id", "topic_id", "user_key", "user_id")
"""Columns in which nobody else is named: another's ``user_id`` is their own name, however much it looks alike."""

_TEXTS = [
    (column.name, pa.types.is_list(column.type))
    for column in EVENTS.schema
    if column.name not in NOT_TEXTS and column.type in (pa.string(), pa.list_(pa.string()))
]


@dataclass(frozen=True, slots=True)
class Person:
    """Subject of an erasure.

    Attributes:
        key: the keyed hash of the name.
        name: None where only the key is known, so that texts and bytes cannot be searched.
    """

    key: str
    name: Name | None

    @property
    def sql(self) -> str:
        """A condition of DuckDB: that a row of any table is theirs."""
        return f"coalesce(user_key = {quoted(self.key)}, false)"

    @property
    def sql_of_event(self) -> str:
        """A condition of DuckDB: that an event is theirs, also if the key of the hash was another when it came."""
        if self.name is None:
            return self.sql
        return f"({self.sql} OR coalesce(user_id = {quoted(self.name.text)}, false))"

    @property
    def sql_mentioned(self) -> str:
        """A condition of DuckDB: that a text of an event has the name."""
        if self.name is None:
            return "false"
        texts = (f'array_to_string("{column}", chr(10))' if is_list else f'"{column}"' for column, is_list in _TEXTS)
        return self.name.sql_found(f"concat_ws(chr(10), {', '.join(texts)})")

    @property
    def sql_rows_of_others(self) -> str:
        """The SELECT of the events of others, as they stay."""
        others = f"SELECT * FROM rows WHERE NOT {self.sql_of_event}"
        if self.name is None:
            return others
        replaced = []
        for column, is_list in _TEXTS:
            value = f'"{column}"'
            erased = (
                f"list_transform({value}, lambda text: {self.name.sql_erased('text')})"
                if is_list
                else self.name.sql_erased(value)
            )
            replaced.append(f"CASE WHEN mentioned THEN {erased} ELSE {value} END AS {value}")
        return f"""SELECT * EXCLUDE (mentioned) REPLACE ({", ".join(replaced)})
            FROM (SELECT *, {self.sql_mentioned} AS mentioned FROM ({others}))"""
