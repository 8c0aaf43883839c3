"""Trees: documents together with those that their type embeds, which are indexed as one; and how large they may be."""

from http import HTTPStatus
from typing import Any

from django.db.models import Count, Func, IntegerField, Max, Q, Sum

from gateway.http.problems import Code, Problem
from gateway.inventory.declarations import DeclaredType
from gateway.inventory.models import Document

MAX_TREE_BYTES = 1024 * 1024
MAX_TREE_CHILDREN = 1_000
"""Of a document together with those that its type embeds."""
MAX_NAMED = 20
"""Documents that are named, of those that would not fit, or would be too large with what is below them."""


class OctetLength(Func):  # pylint: disable=abstract-method  # as the framework has it
    """Length of a text in bytes."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """Write it as SQLite has it: it counts characters of a text, and bytes of a blob."""
        return super().as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **more)


def require_fits(length: int, children: int) -> None:
    """Refuse a document that is too large with those it embeds.

    Raises:
        Problem: 409.
    """
    if length > MAX_TREE_BYTES or children > MAX_TREE_CHILDREN:
        raise Problem(
            HTTPStatus.CONFLICT,
            Code.TREE_TOO_LARGE,
            f"A document with what its type embeds is at most {MAX_TREE_BYTES:,} bytes and {MAX_TREE_CHILDREN:,} "
            f"documents; it would be {length:,} and {children:,}.",
        )


def check_trees(declared: DeclaredType) -> None:
    """Check the documents of a type, as it is to be, together with those that are below them already.

    The caller holds the type's row, which all hold who write below its documents.

    Raises:
        Problem: 409, some would be too large.
    """
    below = Document.objects.filter(parent__type=declared.name, type__in=declared.embed, body__isnull=False)
    trees = (
        below.values_list("parent__document_id")
        .annotate(count=Count("pk"), length=Sum(OctetLength("body")) + Max(OctetLength("parent__body")))
        .filter(Q(count__gt=MAX_TREE_CHILDREN) | Q(length__gt=MAX_TREE_BYTES))
        .order_by("parent__document_id")
    )
    found = trees.count()
    if found:
        raise Problem(
            HTTPStatus.CONFLICT,
            Code.TREE_TOO_LARGE,
            f"{found:,} documents are too large with what the type would embed, which is at most {MAX_TREE_BYTES:,} "
            f"bytes and {MAX_TREE_CHILDREN:,} documents; delete some below them, or leave them out of embed.",
            members={
                "count": found,
                "documents": [
                    {"id": document_id, "documents": count, "bytes": length}
                    for document_id, count, length in trees[:MAX_NAMED]
                ],
            },
        )
