"""The keys of access tokens: RSA keys in PEM form, of which the first signs and all verify.

A query gateway signs nothing, and has the public keys alone.
"""

import re
import warnings

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet, RSAKey

MIN_BITS = 2048
"""RFC 7518, section 3.3: a key of this size or larger must be used."""

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----[^-]*-----END \1-----")


def read_signing_keys(pem: str) -> KeySet:
    """Read one or more keys; each gets its RFC 7638 thumbprint as its ``kid``.

    Args:
        pem: keys in PEM form, one after the other.

    Raises:
        ValueError: says what is wrong with them, and nothing of what is in them.
    """
    keys = [_read(block[0]) for block in _PEM.finditer(pem)]
    if not keys:
        raise ValueError("holds no key in PEM form")
    key_set = KeySet([*keys])
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError("holds one key twice")
    return key_set


def _read(pem: str) -> RSAKey:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of a short key, which is refused below
            key = RSAKey.import_key(pem, {"use": "sig", "alg": "RS256"})
        bits = key.public_key.key_size
    except (JoseError, ValueError, TypeError):
        raise ValueError("holds something other than RSA keys in PEM form without a passphrase") from None
    if bits < MIN_BITS:
        raise ValueError(f"has a key of {bits} bits; at least {MIN_BITS} are needed")
    return key
