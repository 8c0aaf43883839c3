"""Rebuild of an index: a new one beside the old, filled by the history and the present, compared, and put in its place.

    begin (names the new index; the relay addresses both from then on)
      → repair (snapshots of what it lacks) → repair once more (compares) → alias → the type's row

Each step looks at what is there instead of remembering how far it came, so that a rebuild that was killed goes on where
it was. Changes never stop, and the alias leads to a whole index at any time.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from gateway.inventory.indices import Indices
from gateway.inventory.models import InventoryType, RelayState
from gateway.inventory.rejections import note_comparison
from gateway.inventory.relay.composition import IndexedTypes, TypeIndices
from gateway.inventory.relay.topic import ADOPT
from gateway.inventory.repair import Repair
from gateway.inventory.type_changes import next_index

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """A rebuild that is begun: the type, and the index that is filled."""

    type: str
    index: str


def begin(names: Iterable[str], *, anew: bool = False) -> list[Begun]:
    """Begin to make the indices of some types again; one that is being made goes on, unless it is to begin anew."""
    with transaction.atomic():
        rows = InventoryType.objects.select_for_update().filter(name__in=list(names))
        return [_begin(row, anew=anew) for row in rows]


def begin_lost(names: Iterable[str]) -> list[Begun]:
    """Begin to make indices again that are gone from Elasticsearch."""
    with transaction.atomic():
        InventoryType.objects.filter(name__in=list(names)).update(prepared=None)
        return begin(names, anew=True)


def begin_all() -> list[Begun]:
    """Begin to make every index again, and take the topic as it is.

    A rebuild that was under way begins anew: its index may have documents that the database has forgotten.
    """
    with transaction.atomic():
        RelayState.objects.get_or_create(pk=1)
        RelayState.objects.filter(pk=1).update(topic_id=ADOPT, positions={})
        rows = InventoryType.objects.select_for_update().order_by("name")
        return [_begin(row, anew=True) for row in rows]


def _begin(row: InventoryType, *, anew: bool) -> Begun:
    if row.building_index is None or anew:
        row.building_index = next_index(row)
        row.save(update_fields=["building_index"])
    return Begun(row.name, row.building_index)


class Rebuild:  # pylint: disable=too-few-public-methods  # it carries through
    """Carries begun rebuilds through.

    Args:
        indices: the indices of all types.
        repair: brings an index up to the database.
    """

    def __init__(self, indices: Indices, repair: Repair) -> None:
        self._indices = indices
        self._repair = repair

    def finish(self, type_indices: TypeIndices) -> None:
        """Fill the new index of a type, and put it in the place of the old one.

        Raises:
            Interrupted: the process is to end.
            KafkaException, ApiError, TransportError, DatabaseError: a server fails; to be repeated.
        """
        index = type_indices.building
        assert index is not None, "the type's index is not being made again"
        name = type_indices.declared.name
        filled = self._repair.repair(type_indices, index)
        logger.info("%s: filled with %d documents", index, filled.differed - len(filled.left))
        # What was written meanwhile comes from the relay; so this finds only what was refused.
        compared = self._repair.repair(type_indices, index)
        if compared.ahead:
            # The index is not one that this database alone has filled.
            begun = begin([name], anew=True)
            logger.error(
                "%s has %d documents that the database does not have so, and is not put in place: %s is made instead",
                index,
                len(compared.ahead),
                ", ".join(each.index for each in begun),
            )
            return
        self._indices.point_to(type_indices.declared.index, index)
        note_comparison(type_indices, self._indices, index, compared.left)
        InventoryType.objects.filter(name=name, building_index=index).update(physical_index=index, building_index=None)
        logger.info("%s: in the place of %s", index, type_indices.physical)
        if compared.left:
            logger.error(
                "the new mapping refuses %d documents of the type %s, which no search finds (python -m gateway verify "
                "%s)",
                len(compared.left),
                name,
                name,
            )


def unfinished(types: IndexedTypes) -> list[TypeIndices]:
    """The types whose index is being made again."""
    return [each for each in types.indices.values() if each.building is not None]
