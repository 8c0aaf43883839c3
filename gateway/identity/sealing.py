"""Sealing of texts that leave the gateway, or rest in its database, and that nobody else may read or change.

A sealed text is a JSON Web Encryption (RFC 7516) with ``dir`` and A256GCM, whose key is derived from the secret key
for one purpose alone: what was sealed for one cannot be used for another. The encoded header is compared as it is, as
that of an access token is.
"""

import base64
from functools import cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

MAX_CHARACTERS = 2048
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ENCODED_HEADER = base64.urlsafe_b64encode(orjson.dumps(_HEADER)).rstrip(b"=").decode("ascii")


def seal(purpose: str, value: Any) -> str:
    """Seal a value that JSON has.

    Args:
        purpose: what it is for, such as ``gateway.identity.totp``.
        value: what is sealed.
    """
    return jwe.encrypt_compact(_HEADER, orjson.dumps(value), _key(settings.SECRET_KEY, purpose))


def unseal(purpose: str, text: str) -> Any:
    """Open what was sealed for a purpose.

    Returns:
        the value, or None: the text was not sealed here for this purpose, or has been changed.
    """
    if len(text) > MAX_CHARACTERS or text.partition(".")[0] != _ENCODED_HEADER:
        return None
    try:
        opened = jwe.decrypt_compact(text.encode("ascii"), _key(settings.SECRET_KEY, purpose)).plaintext
    except (JoseError, ValueError):
        return None
    return None if opened is None else orjson.loads(opened)


@cache
def _key(secret_key: str, purpose: str) -> OctKey:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret_key.encode())
    return OctKey.import_key(derived)
