"""Sandbox for an analyst's SELECT: tables without names, and nothing else.

Why it holds: DuckDB is given each table as rows of Arrow that have none but the analysts' columns, and no access to any
file, so that what is left out cannot be reached by any statement. Beside that, the statement as DuckDB's own parser
reads it must be one SELECT over those tables, because a few functions of DuckDB take addresses in memory or change
what is set. The configuration is locked; memory, threads and rows are bounded here, the time by the command.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.dataset as ds

from lake.errors import LakeError, one_line
from lake.marts.tables import MARTS
from lake.tables import EVENTS, SCORES, Lake, TableSpec

ANALYSTS_COLUMNS = (
    "day",
    "hour",
    "time",
    "event_id",
    "event_type",
    "user_key",
    "shape",
    "fields",
    "index",
    "hits",
    "took_ms",
    "status",
    "error_code",
    "target_type",
    "network",
    "country",
    "organisation",
    "asset_owner",
    "auth_scheme",
    "service",
    "service_version",
)
"""Columns of ``events`` that analysts have; the others say, or may say, who somebody is or what they wrote."""

_TABLES = (EVENTS, SCORES, *MARTS)

MAX_STATEMENT_CHARACTERS = 65_536
_QUERY_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
# They read what is set, write, or run a text as a statement that has not been checked.
_REFUSED_FUNCTIONS = re.compile(
    r"__.*|pg_.*|json_(de)?serialize_.*|current_setting|getvariable|getenv|nextval|setval|write_log"
)
_NAME = re.compile(r"(?!(duckdb|information|pg|pragma|sqlite)_)[a-z_][a-z0-9_]{0,62}", re.IGNORECASE)
"""A name that a statement may give; not one that DuckDB's own views have."""


class Sandbox:
    """DuckDB with the lake's tables, closed.

    Args:
        lake: the tables; those that have not been made are empty.
        memory_mib: how much DuckDB may take, in MiB.
        threads: how many of them.
        names: whether all columns of ``events`` are there; then the look must be on the trail already.

    Raises:
        deltalake.exceptions.DeltaError: a table cannot be read.
    """

    def __init__(self, lake: Lake, *, memory_mib: int, threads: int, names: bool = False) -> None:
        self._connection = duckdb.connect(config={"memory_limit": f"{memory_mib}MiB", "threads": threads})
        columns = {EVENTS: EVENTS.schema.names if names else ANALYSTS_COLUMNS}
        for spec in _TABLES:
            self._connection.register(spec.name, _rows(lake, spec, columns.get(spec, spec.schema.names)))
        self._tables = frozenset(spec.name for spec in _TABLES)
        for setting in (
            "TimeZone = 'UTC'",
            # What does not fit into memory is not written anywhere.
            "temp_directory = ''",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            # Names of Python's variables are no tables.
            "python_enable_replacements = false",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def run(self, statement: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Run one SELECT, which is checked first.

        Args:
            statement: the statement.
            limit: how many rows at most; one more says that there are more.

        Returns:
            The headings, and the rows.

        Raises:
            LakeError: it is no SELECT over the sandbox's tables, or it fails.
        """
        self.check(statement)
        try:
            relation = self._connection.sql(statement).limit(limit + 1)
            return relation.columns, relation.fetchall()
        except (duckdb.OutOfMemoryException, MemoryError):
            raise LakeError("the statement takes more memory than it may: see LAKE_SQL_MEMORY_MIB") from None
        except duckdb.Error as error:
            raise LakeError(f"the statement fails: {one_line(error)}") from None

    def check(self, statement: str) -> None:
        """Refuse a text that is not one SELECT over the sandbox's tables; nothing is run.

        Raises:
            LakeError: it is refused.
        """
        if len(statement) > MAX_STATEMENT_CHARACTERS:
            raise LakeError(f"a statement has at most {MAX_STATEMENT_CHARACTERS:,} characters")
        statements = self._read(statement)
        if len(statements) != 1:
            raise LakeError(f"one statement is run at a time, and here are {len(statements)}")
        nodes = list(_nodes(statements))
        names = {name for node in nodes for name in _given_names(node)}
        for name in names:
            if not _NAME.fullmatch(name):
                raise LakeError(f"the name {name!r} cannot be given here")
        for node in nodes:
            _check_node(node, self._tables | names)

    def _read(self, statement: str) -> list[Any]:
        """Read a text as DuckDB does; only SELECT can be."""
        try:
            ((text,),) = self._connection.execute("SELECT json_serialize_sql(?)", [statement]).fetchall()
            read = orjson.loads(text)
        except (duckdb.Error, orjson.JSONDecodeError) as error:
            raise LakeError(f"the statement cannot be read: {one_line(error)}") from None
        if read["error"]:
            raise LakeError(f"the statement cannot be run: {one_line(read['error_message'])}")
        statements: list[Any] = read["statements"]
        return statements


def _rows(lake: Lake, spec: TableSpec, columns: Sequence[str]) -> ds.Dataset | pa.Table:
    """A table as Arrow that has these columns and no others."""
    schema = pa.schema([spec.schema.field(name) for name in columns])
    # To make it would be to write.
    return lake.open(spec).to_pyarrow_dataset().replace_schema(schema) if lake.exists(spec) else schema.empty_table()


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects of a tree of JSON."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            yield node
            left += node.values()
        elif isinstance(node, list):
            left += node


def _given_names(node: dict[str, Any]) -> Iterator[str]:
    """Names of the common table expressions that a node brings."""
    if "cte_map" in node:
        yield from (each["key"].lower() for each in node["cte_map"]["map"])
    if "cte_name" in node:
        yield node["cte_name"].lower()


def _check_node(node: dict[str, Any], tables: Collection[str]) -> None:
    """Refuse what is not over the tables alone.

    Raises:
        LakeError: the node is refused.
    """
    match node.get("type"):
        case "BASE_TABLE":
            path = [node["catalog_name"], node["schema_name"], node["table_name"]]
            if path[:2] != ["", ""] or path[2].lower() not in tables:
                known = ", ".join(sorted(tables))
                raise LakeError(f"there is no table {'.'.join(filter(None, path))!r} here; there are {known}")
        case "TABLE_FUNCTION":
            name = node["function"]["function_name"].lower()
            if name not in _TABLE_FUNCTIONS:
                raise LakeError(f"the table function {name!r} cannot be used here")
        case "FUNCTION":
            name = node["function_name"].lower()
            if _REFUSED_FUNCTIONS.fullmatch(name):
                raise LakeError(f"the function {name!r} cannot be used here")
        case "SHOW_REF" if node["query"] is None:
            raise LakeError("SHOW cannot be used here; DESCRIBE tells a table's columns")
        case str() as kind if kind.endswith("_NODE") and kind not in _QUERY_NODES:
            raise LakeError("the statement cannot be run: only SELECT can be")
