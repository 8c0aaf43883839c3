"""Access to saved searches and collections: who sees which, and as what.

What is not shared with somebody is not there for them. That a search is shared says nothing of its index: to run it
takes the same rights as if its reader had typed it.
"""

from http import HTTPStatus

from gateway.http.fields import read_uuid
from gateway.http.problems import Code, Problem
from gateway.identity.administration import for_administrators
from gateway.identity.authorization import has_role
from gateway.identity.models import Role, User
from gateway.saved.models import Kind, Saved, SavedQuerySet, ShareRole


def seen_by(user: User, kind: Kind) -> SavedQuerySet:
    """Searches or collections that the user owns or that are shared with them, with the names of their owners."""
    return _with_owner(Saved.objects.filter(kind=kind).seen_by(user))


def orphaned(user: User, kind: Kind) -> SavedQuerySet:
    """Shared searches or collections of deleted users, for administrators.

    Raises:
        Problem: 403.
    """
    if not has_role(user, Role.ADMIN):
        raise for_administrators()
    return _with_owner(Saved.objects.filter(kind=kind).orphaned())


def role_of(user: User, saved: Saved) -> ShareRole:
    """The user's role for a search or collection that they see; an administrator owns those of deleted users."""
    if saved.owner_id == user.pk or (saved.owner_id is None and has_role(user, Role.ADMIN)):
        return ShareRole.OWNER
    return ShareRole(getattr(saved, "shared_as", None) or ShareRole.VIEWER)


def find(user: User, kind: Kind, saved_id: str) -> Saved:
    """One that the user sees.

    Raises:
        Problem: 404, the id is unknown, or it is not shared with the user.
    """
    number = read_uuid(saved_id)
    row = seen_by(user, kind).filter(pk=number).first()
    if row is None and has_role(user, Role.ADMIN):
        row = orphaned(user, kind).filter(pk=number).first()
    if row is None:
        raise Problem(
            HTTPStatus.NOT_FOUND, Code.NOT_FOUND, f"There is no {kind.value} of this id that you have, or may see."
        )
    return row


def find_locked(user: User, kind: Kind, saved_id: str) -> Saved:
    """As ``find`` does; nobody else changes it until the transaction ends.

    Raises:
        Problem: 404.
    """
    # Before it is read: who may do what with it is then as the last change has left it.
    Saved.objects.select_for_update(no_key=True).filter(pk=read_uuid(saved_id)).values_list("pk").first()
    return find(user, kind, saved_id)


def _with_owner(rows: SavedQuerySet) -> SavedQuerySet:
    # A query gateway may not read all of a user.
    columns = [field.attname for field in Saved._meta.concrete_fields]
    return rows.select_related("owner").only(*columns, "owner__username")
