"""Indices of the inventory's types in Elasticsearch: their mappings, aliases, and the end of those that are replaced.

An index is made before the first change names it, and none is made by itself: the template of each type forbids it, so
that no index ever has guessed types. The name of an index that is removed becomes an alias of the one in its place,
so that a change that still names it is written there; its version decides.
"""

import logging
import threading
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

import orjson
from django.db.models import QuerySet
from elasticsearch import ApiError, Elasticsearch

from gateway.inventory.index_names import index_name, number_of
from gateway.inventory.models import InventoryType
from gateway.inventory.relay.composition import IndexedTypes, TypeIndices

logger = logging.getLogger(__name__)

_PRIORITY = 500
_SETTINGS = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    # For so long a deletion is remembered, so that an older write that comes late is refused.
    "gc_deletes": "1h",
}
_META = "inventory_type"
_SCAN = 10_000
_KEEP_ALIVE = "1m"


class Unprepared(Exception):
    """The indices of a type cannot be prepared as they are declared; the message says why, and what to do."""


class Renamed(Unprepared):
    """The index that is to be filled has another name from now on; the types are to be read again."""


class Indices:
    """The indices of all types.

    Args:
        client: Elasticsearch. Each method raises ``elasticsearch.ApiError`` and ``TransportError``.
    """

    def __init__(self, client: Elasticsearch) -> None:
        self._client = client
        # An index that another thread makes right now is not noted as prepared yet.
        self._preparing = threading.Lock()

    def ensure(self, types: IndexedTypes) -> dict[str, Unprepared]:
        """Prepare indices, mappings and aliases for the types as they are; asks nothing where that has been done.

        Returns:
            the names of indices that cannot be prepared, and why: what is wrong with one type is not to stop others.
        """
        unprepared: dict[str, Unprepared] = {}
        for name, each in types.indices.items():
            embedded = [types.catalogue.types[child].schema_version for child in each.declared.embed]
            wanted = orjson.dumps([*each.names, each.declared.schema_version, *embedded]).decode()
            if each.prepared == wanted:
                continue
            try:
                with self._preparing:
                    self._ensure(types, each)
                    _rows(each).update(prepared=wanted)
            except Unprepared as error:
                unprepared |= dict.fromkeys(each.names, error)
            except ApiError as error:
                if error.status_code != HTTPStatus.BAD_REQUEST:
                    raise
                reason = (
                    f'Elasticsearch refuses the index of the type "{name}" ({error.error}): delete '
                    f'"{each.names[-1]}" if it is not the type\'s, or declare the type with another index'
                )
                unprepared |= dict.fromkeys(each.names, Unprepared(reason))
        return unprepared

    def lost(self, types: IndexedTypes) -> list[str]:
        """The types whose indices were prepared and are gone, as where the cluster has been set up anew."""
        return [
            name
            for name, each in types.indices.items()
            if each.prepared is not None
            and not (
                self._client.indices.exists(index=[index for index in each.names if index in _prepared(each)])
                and self._client.indices.exists_alias(name=each.declared.index)
            )
        ]

    def _ensure(self, types: IndexedTypes, each: TypeIndices) -> None:
        declared = each.declared
        if each.building is not None and each.building not in _prepared(each):
            self._require_new(each)
        has_alias = self._client.indices.exists_alias(name=declared.index)
        if not has_alias and self._client.indices.exists(index=declared.index):
            raise Unprepared(
                f'"{declared.index}" is an index, and has to be the alias of the index of the type '
                f'"{declared.name}": delete it, or declare the type with another index'
            )
        self._client.indices.put_index_template(
            name=f"inventory-{declared.name}",
            index_patterns=list(each.names),
            priority=_PRIORITY,
            allow_auto_create=False,
            template={"settings": _SETTINGS, "mappings": {"dynamic": "strict"}},
        )
        properties = types.catalogue.index_properties(declared)
        # The older index of a rebuild stays as it is: the new schema may not fit.
        self._create(each.names[-1], declared.name, properties)
        if not has_alias:
            self._create(each.physical, declared.name, properties)
            self._client.indices.put_alias(index=each.physical, name=declared.index)

    def _require_new(self, each: TypeIndices) -> None:
        """Begin with the next number where an index, or an alias, has the name of the one that is to be filled.

        That is so where the database was restored from a backup: an index of then has what the database has forgotten.

        Raises:
            Renamed: the index that is to be filled is another one.
        """
        assert each.building is not None
        index = each.building
        while self._client.indices.exists(index=index):
            index = index_name(each.declared.index, number_of(index) + 1)
        if index != each.building:
            # Unless it was made since the type was read.
            if _rows(each).filter(prepared=each.prepared).update(building_index=index):
                logger.warning("%s is there already; %s is made instead", each.building, index)
            raise Renamed(f"{each.building} is there already")

    def _create(self, index: str, type_: str, properties: dict[str, Any]) -> None:
        mappings = {"dynamic": "strict", "_meta": {_META: type_}, "properties": properties}
        try:
            self._client.indices.create(index=index, mappings=mappings)
            logger.info("created the index %s", index)
        except ApiError as error:
            if error.error != "resource_already_exists_exception":
                raise
            self._client.indices.put_mapping(index=index, properties=properties)

    def versions(self, index: str, ids: list[str]) -> dict[str, int]:
        """The versions of documents by id, of those that are there; also what no search can see yet."""
        found = self._client.mget(index=index, ids=ids, source=False, filter_path="docs._id,docs._version,docs.found")
        return {each["_id"]: each["_version"] for each in found.body.get("docs", []) if each.get("found")}

    def ids(self, index: str) -> Iterator[list[tuple[str, int]]]:
        """Ids and versions of all documents, many at a time."""
        self._client.indices.refresh(index=index)
        point_in_time = self._client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)["id"]
        after: list[Any] | None = None
        try:
            while True:
                found = self._client.search(
                    pit={"id": point_in_time, "keep_alive": _KEEP_ALIVE},
                    size=_SCAN,
                    source=False,
                    version=True,
                    sort=["_shard_doc"],
                    search_after=after,
                    track_total_hits=False,
                )["hits"]["hits"]
                if not found:
                    return
                yield [(hit["_id"], hit["_version"]) for hit in found]
                after = found[-1]["sort"]
        finally:
            self._client.close_point_in_time(id=point_in_time)

    def point_to(self, alias: str, index: str) -> None:
        """Let an alias lead to an index and to no other, in one step."""
        self._client.indices.refresh(index=index)
        before = self._leads_to(alias)
        removals = [{"remove": {"index": each, "alias": alias}} for each in before if each != index]
        self._client.indices.update_aliases(actions=[*removals, {"add": {"index": index, "alias": alias}}])

    def retire(self, each: TypeIndices) -> list[str]:
        """Remove the indices that a type had before, unless a search that began there still reads them.

        Those alone of lower numbers: a rebuild may have begun since the type was read.

        Returns:
            those that were removed.
        """
        removed = []
        for index in self._replaced(each):
            stats = self._client.indices.stats(index=index, metric="search", filter_path="_all.total.search")
            # Nothing is left of the answer where no shard has answered.
            if stats.body.get("_all", {}).get("total", {}).get("search", {}).get("open_contexts") != 0:
                continue
            aliases = [index, *self._aliases(index)]
            moved = [
                {"add": {"index": each.physical, "alias": alias}} for alias in aliases if alias != each.declared.index
            ]
            self._client.indices.update_aliases(actions=[{"remove_index": {"index": index}}, *moved])
            removed.append(index)
        return removed

    def _replaced(self, each: TypeIndices) -> Iterable[str]:
        found = self._client.indices.get_mapping(
            index=f"{each.declared.index}-*", filter_path="*.mappings._meta", expand_wildcards="open"
        )
        alias = set(self._leads_to(each.declared.index))
        return [
            index
            for index, mapping in found.body.items()
            if mapping["mappings"]["_meta"].get(_META) == each.declared.name
            and number_of(index) < number_of(each.physical)
            and index not in alias
        ]

    def _aliases(self, index: str) -> list[str]:
        return list(self._client.indices.get_alias(index=index).body[index]["aliases"])

    def _leads_to(self, alias: str) -> list[str]:
        try:
            return list(self._client.indices.get_alias(name=alias).body)
        except ApiError as error:
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
            return []


def _prepared(each: TypeIndices) -> list[Any]:
    """For what a type's indices have been prepared: their names first."""
    prepared: list[Any] = orjson.loads(each.prepared or "[]")
    return prepared


def _rows(each: TypeIndices) -> QuerySet[InventoryType]:
    """The type's row, as long as it has the index that is to be filled."""
    return InventoryType.objects.filter(
        name=each.declared.name, physical_index=each.physical, building_index=each.building
    )
