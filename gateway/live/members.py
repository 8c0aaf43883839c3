"""Members: users behind open sockets, and whether they may go on."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.identity.authorization import has_role
from gateway.identity.models import DeniedToken, Role, User
from gateway.live.connection import Ended
from gateway.live.frames import Farewell


class Kind(StrEnum):
    """Kinds of sockets; a ticket is for one of them."""

    NOTIFICATIONS = "notifications"
    TAIL = "tail"


@dataclass(frozen=True, slots=True)
class Member:
    """User behind a socket.

    Attributes:
        user: their primary key.
        name: their name.
        scheme: how the audit trail names the credential that they came in by.
        tokens: identifiers by which that credential can be denied.
        address: where they are, as the rate limits have it.
    """

    kind: Kind
    user: int
    name: str
    scheme: str
    tokens: frozenset[str]
    address: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Users who are active, with their roles, and tokens that are denied; as the database had them."""

    roles: Mapping[int, str]
    denied: Collection[str]

    @classmethod
    def read(cls, members: Iterable[Member]) -> "Standing":
        """Read how members stand."""
        members = list(members)
        users = User.objects.filter(pk__in={member.user for member in members}, is_active=True)
        tokens = {token for member in members for token in member.tokens}
        denied = DeniedToken.objects.filter(identifier__in=tokens)
        return cls(dict(users.values_list("pk", "role")), set(denied.values_list("identifier", flat=True)))

    def reason_to_end(self, member: Member) -> Ended | None:
        """Reason why a member may not go on, or None."""
        role = self.roles.get(member.user)
        if role is None or not member.tokens.isdisjoint(self.denied):
            return Ended(Farewell.UNAUTHENTICATED, "The log-in has ended, or the user is not active any more.")
        if member.kind is Kind.TAIL and not Role(role).includes(Role.AUDITOR):
            return Ended(Farewell.FORBIDDEN, "The tail of the audit trail is for auditors.")
        return None


def may_tail(user: User) -> bool:
    """Whether a user may see the tail of the audit trail."""
    return has_role(user, Role.AUDITOR)
