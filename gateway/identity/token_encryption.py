"""Encryption of access tokens: a signed token within a JSON Web Encryption (RFC 7516), with ``dir`` and A256GCM.

Off by default. It hides the claims from whatever a token passes, and proves nothing: the signature inside does. The
encoded header is compared with those of our own keys, byte for byte, so that there is no ``zip``, no other algorithm,
and no key of somebody else's.

A key is good for 2³² tokens, as each has a random 96-bit nonce (NIST SP 800-38D, section 8.3): replace it once a year.
"""

import base64
import binascii
from collections.abc import Mapping
from functools import cache

import orjson
from django.conf import settings
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

KEY_BYTES = 32
MAX_KEYS = 10


def encrypt(token: str) -> str:
    """Encrypt a token with the first key; where there are no keys, it stays as it is."""
    keys = _keys(settings.GATEWAY.jwe_keys.get_secret_value())
    if not keys:
        return token
    first = next(iter(keys.values()))
    return jwe.encrypt_compact(_header(first), token, first)


def decrypt(text: str) -> str | None:
    """Decrypt a token by the key that its header names.

    Returns:
        None if it is not encrypted with one of our keys, or has been changed.
    """
    key = _keys(settings.GATEWAY.jwe_keys.get_secret_value()).get(text.partition(".")[0])
    if key is None:
        return None
    try:
        opened = jwe.decrypt_compact(text.encode("ascii"), key).plaintext
        return None if opened is None else opened.decode("ascii")
    except (JoseError, ValueError):
        return None


def read_encryption_keys(text: str) -> list[OctKey]:
    """Read keys, of which the first encrypts and all decrypt; each gets its RFC 7638 thumbprint as its ``kid``.

    Args:
        text: keys of 256 bits in base64, one a line; there may be none.

    Raises:
        ValueError: says what is wrong with them, and nothing of what is in them.
    """
    lines = text.split()
    if len(lines) > MAX_KEYS:
        raise ValueError(f"holds more than {MAX_KEYS} keys")
    keys = [_read(line) for line in lines]
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError("holds one key twice")
    return keys


def _read(line: str) -> OctKey:
    try:
        content = base64.b64decode(line, validate=True)
    except binascii.Error:
        content = b""
    if len(content) != KEY_BYTES:
        raise ValueError(f"must be keys of {KEY_BYTES} bytes in base64, one a line")
    key = OctKey.import_key(content)
    key.ensure_kid()
    return key


def _header(key: OctKey) -> dict[str, str | None]:
    return {"alg": "dir", "enc": "A256GCM", "cty": "JWT", "kid": key.kid}


@cache
def _keys(text: str) -> Mapping[str, OctKey]:
    """Our keys by the encoded header of the tokens that they encrypt; the first one encrypts."""
    return {
        base64.urlsafe_b64encode(orjson.dumps(_header(key))).rstrip(b"=").decode("ascii"): key
        for key in read_encryption_keys(text)
    }
