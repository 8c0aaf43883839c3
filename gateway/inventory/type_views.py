"""``/inventory-types``: the types of the inventory, and their declarations."""

from functools import partial

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from contracts.query_event.event import EventTarget
from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.fields import checked
from gateway.http.openapi import INDEX, KNOWN, asked, operation
from gateway.http.problems import malformed
from gateway.http.query_string import read_parameters
from gateway.identity.authentication import caller
from gateway.identity.models import TYPE_NAME
from gateway.inventory import headers
from gateway.inventory.base_views import InventoryView, may_read
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.declarations import RESERVED
from gateway.inventory.documents import MAX_BYTES
from gateway.inventory.models import InventoryType
from gateway.inventory.parsers import DocumentParser, body_of
from gateway.inventory.preconditions import Preconditions, etag
from gateway.inventory.schema import TypeAnswer, TypeChangeAnswer, TypeList
from gateway.inventory.serializers import TypeSerializer
from gateway.inventory.transactions import transact
from gateway.inventory.type_changes import Outcome, TypeChange, put_type

_operation = partial(operation, group="Inventory")
TYPE = OpenApiParameter("type_name", str, OpenApiParameter.PATH, description="The type's name.")
_DRY_RUN = OpenApiParameter("dry_run", bool, description="Say what would happen, and change nothing.")
_PRODUCT = asked(
    "a public catalogue",
    {
        "schema": {
            "type": "object",
            "properties": {"sku": {"type": "string"}, "name": {"type": "string"}, "price": {"type": "number"}},
            "required": ["sku", "name"],
            "additionalProperties": False,
        },
        "index": "products",
        "key": "/sku",
        "public": True,
    },
)


class TypesView(InventoryView):
    """The types."""

    @_operation("inventory_types", TypeList)
    def get(self, request: Request) -> Response:
        """List the types of the inventory.

        Those whose documents you may read.
        """
        draft = self.known(request)
        user, catalogue = caller(request), read_catalogue()
        record_event(draft)
        types: TypeList = {
            "types": [
                {
                    "name": each.name,
                    "index": each.index,
                    "public": each.is_public,
                    "key": each.key,
                    "parent": each.parent,
                    "schema_version": each.schema_version,
                }
                for each in catalogue.types.values()
                if may_read(user, each)
            ]
        }
        return Response(types, headers=NOT_KEPT)


class TypeView(InventoryView):
    """One type."""

    parser_classes = (DocumentParser,)
    max_body_bytes = MAX_BYTES

    @_operation("inventory_type", TypeAnswer, problems=(*KNOWN, *INDEX), parameters=[TYPE, *headers.READ[:1]])
    def get(self, request: Request, type_name: str) -> Response:
        """Show a type of the inventory."""
        draft = self.known(request)
        draft.target = EventTarget(type_name[:128])
        self.check_reader(caller(request), type_name)
        row = InventoryType.objects.get(name=type_name)
        record_event(draft)
        answer: TypeAnswer = {
            "name": row.name,
            "schema_version": row.schema_version,
            "physical_index": row.physical_index,
            "building_index": row.building_index,
            "definition": row.definition,
        }
        return Response(answer, headers={"ETag": etag(row.schema_version)} | NOT_KEPT)

    @_operation(
        "put_inventory_type",
        TypeChangeAnswer,
        TypeSerializer,
        problems=(*KNOWN, 403, 409, 412),
        parameters=[TYPE, _DRY_RUN, headers.IF_MATCH_TYPE, headers.IF_NONE_MATCH, *headers.DECLARED],
        examples=[_PRODUCT],
    )
    def put(self, request: Request, type_name: str) -> Response:
        """Declare a type of the inventory.

        Documents that are there must fit, unless `accept_existing` is true. A schema that only adds members is applied
        at once; any other has the index built again beside the old one.
        """
        draft = self.administrator(request, type_name)
        if not TYPE_NAME.fullmatch(type_name) or type_name in RESERVED:
            raise malformed(
                "A type's name begins with a lower-case letter or digit, has at most 128 of these and of . _ : @ ~ -, "
                f"and is not one of {', '.join(sorted(RESERVED))}."
            )
        definition = checked(TypeSerializer, body_of(request).value)
        accept_existing = definition.pop("accept_existing")
        preconditions = Preconditions.of(request)
        dry_run = _flag(request)

        def declare() -> TypeChange:
            change = put_type(
                type_name, definition, accept_existing=accept_existing, dry_run=dry_run, preconditions=preconditions
            )
            if change.outcome is not Outcome.UNCHANGED and not dry_run:
                version = change.declared.schema_version
                draft.note_changes([f"declare inventory type {type_name}: schema_version {version}"])
            record_event(draft)
            return change

        change = transact(declare)
        return Response(_described(change), headers={"ETag": etag(change.declared.schema_version)} | NOT_KEPT)


def _flag(request: Request) -> bool:
    parameters = read_parameters(request)
    flag = parameters.pop("dry_run", "false")
    if parameters or flag not in ("true", "false"):
        raise malformed("The one parameter is dry_run, which is true or false.")
    return flag == "true"


def _described(change: TypeChange) -> TypeChangeAnswer:
    return {
        "name": change.declared.name,
        "schema_version": change.declared.schema_version,
        "outcome": change.outcome.value,
        "rebuild": change.rebuild,
        "misfits": change.misfits,
        "first_misfits": [{**each} for each in change.first_misfits],
    }
