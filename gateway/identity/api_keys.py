"""API keys: what programs exchange for access tokens. Shown once; only a digest of the secret is kept.

A key reads ``sluice_<id>_<secret>``: 16 hexadecimal digits to look it up by, and 32 random bytes in base64url. A secret
of that size cannot be guessed, so plain SHA-256 keeps it, and a look-up costs no password hash.
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime

from gateway.identity.models import ApiKey, User

_KEY = re.compile(r"sluice_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


def issue_key(user: User, name: str, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """Make a key.

    Args:
        user: who comes in with it.
        name: what it is for, in its owner's words.
        expires_at: from when on it is refused; None for never.

    Returns:
        the key as it is kept, and its text, which can be had this once.
    """
    secret = secrets.token_urlsafe(32)
    key = ApiKey(id=secrets.token_hex(8), user=user, name=name, digest=_digest(secret), expires_at=expires_at)
    key.save(force_insert=True)
    return key, f"sluice_{key.id}_{secret}"


def find_key(text: str, now: datetime) -> ApiKey | None:
    """Find the key of a text, and note that it was used.

    Returns:
        the key with its ``user``, or None: the text is no key, or the key is revoked or expired, or its user inactive.
    """
    parts = _KEY.fullmatch(text)
    if parts is None:
        return None
    key = ApiKey.objects.select_related("user").filter(id=parts[1]).first()
    if key is None or not hmac.compare_digest(key.digest, _digest(parts[2])):
        return None
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now) or not key.user.is_active:
        return None
    ApiKey.objects.filter(id=key.id).update(last_used_at=now)
    return key


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
