"""``Idempotency-Key``: the answer to a request that is sent again.

Why only successes are kept: a refused request has changed nothing, so that it may be sent again, and may succeed. The
key's row is written in the transaction of the change itself: either both are there, or neither.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from rest_framework.request import Request

from gateway.http.problems import Code, Problem, malformed
from gateway.identity.models import User
from gateway.inventory.models import IdempotencyKey

KEPT = timedelta(hours=24)
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,200})"?')


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of a write: its status, its own headers, and its body, empty if it has none."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that is known by its key, and the digest of all that it asks for."""

    user: User
    key: str
    digest: str

    def answer(self, work: Callable[[], Answer]) -> tuple[Answer, bool]:
        """Do work, unless the request has been answered before; in the transaction of its caller.

        Returns:
            the answer, and whether it is the one of before.

        Raises:
            Problem: 422, another request had the key.
            IntegrityError: the same request is being worked on elsewhere, and is done by now.
        """
        now = datetime.now(UTC)
        kept = self._kept(now)
        if kept is not None:
            return kept, True
        try:
            answer = work()
        except Problem:
            # It may have waited for the same request, which was worked on elsewhere and is done by now.
            kept = self._kept(now)
            if kept is None:
                raise
            return kept, True
        IdempotencyKey.objects.filter(user=self.user, expires_at__lte=now).delete()
        IdempotencyKey.objects.create(
            user=self.user,
            key=self.key,
            digest=self.digest,
            status=answer.status,
            headers=answer.headers,
            body=answer.body.decode(),
            expires_at=now + KEPT,
        )
        return answer, False

    def _kept(self, now: datetime) -> Answer | None:
        """The answer that the request had before, if it had one.

        Raises:
            Problem: 422, another request had the key.
        """
        kept = IdempotencyKey.objects.filter(user=self.user, key=self.key, expires_at__gt=now).first()
        if kept is None:
            return None
        if kept.digest != self.digest:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                Code.IDEMPOTENCY_MISMATCH,
                "Another request was sent with this Idempotency-Key within 24 hours; send a new key.",
            )
        return Answer(HTTPStatus(kept.status), kept.headers, kept.body.encode())


def read_key(request: Request) -> str | None:
    """The key of a request, if it has one.

    Raises:
        Problem: 400, it is empty, too long, or has other characters.
    """
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return None
    found = _KEY.fullmatch(header)
    if found is None:
        raise malformed("Idempotency-Key: Send 1 to 200 printable ASCII characters without spaces, such as a UUID.")
    return found[1]


def digest_of(request: Request, body: bytes) -> str:
    """The digest of what a request asks for: method, path, query string, preconditions and body."""
    asked = [request.method or "", request.get_full_path()]
    asked += [request.headers.get(name, "") for name in ("If-Match", "If-None-Match", "Prefer", "Content-Type")]
    found = hashlib.sha256()
    for part in (*(each.encode() for each in asked), body):
        found.update(len(part).to_bytes(8) + part)
    return found.hexdigest()
