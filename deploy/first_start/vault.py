"""The originals of all secrets, in a folder that no service sees; each is made once, and kept.

Why: an empty or invalid original ends the run. A new one in its place would be a secret that no server knows.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from joserfc.jwk import RSAKey

from deploy.first_start import certificates, files
from gateway.identity.providers.settings import read_providers
from gateway.identity.signing_keys import read_signing_keys

_PASSWORD_BYTES = 24
_DJANGO_KEY_BYTES = 48
_SIGNING_KEY_BITS = 3072
_NOT_HERE = "known to the command gateway alone"


class VaultError(Exception):
    """Invalid original; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Removing a file here and running once more makes a new secret in its place.

    Args:
        folder: where the originals are.
        owner: the number of the user whose they are.
        now: the moment by which certificates are judged and made.

    Each method raises VaultError for a file that is empty or no key, OSError for one that cannot be read or written.
    """

    folder: Path
    owner: int
    now: datetime

    def password(self, name: str) -> str:
        """A password of 192 random bits, in characters that need no escaping in a URL or a configuration file."""
        # An editor ends a file with a line feed, which is not part of the password.
        return (self._kept(name) or self._keep(name, secrets.token_urlsafe(_PASSWORD_BYTES))).strip()

    def secret_key(self, name: str) -> str:
        """Django's secret key."""
        return self._kept(name) or self._keep(name, secrets.token_urlsafe(_DJANGO_KEY_BYTES))

    def signing_key(self) -> str:
        """The RSA key in PEM form that signs access tokens."""
        name = "signing-key.pem"
        return self._kept(name) or self._keep(
            name, RSAKey.generate_key(_SIGNING_KEY_BITS).as_pem(private=True).decode()
        )

    def given(self, name: str) -> str:
        """A secret that the operator has put there; empty without that."""
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def bearer_providers(self) -> str:
        """The identity providers whose tokens are bearer tokens, without our secrets, which log-ins alone need."""
        name = "providers.json"
        try:
            bearer = {key for key, provider in read_providers(self.given(name)).items() if provider.bearer}
        except ValueError as error:
            raise self._refused(name, str(error)) from None
        table = {key: orjson.loads(self.given(name))[key] | {"client_secret": _NOT_HERE} for key in sorted(bearer)}
        return orjson.dumps(table).decode() if table else ""

    def verifying_keys(self) -> str:
        """The public keys of those that sign access tokens."""
        try:
            keys = read_signing_keys(self.signing_key())
        except ValueError as error:
            raise self._refused("signing-key.pem", str(error)) from None
        return "".join(key.as_pem(private=False).decode() for key in keys if isinstance(key, RSAKey))

    def authority(self) -> str:
        """The certificate that the services check each other's against."""
        return self._authority()[1]

    def server(self, hosts: list[str]) -> tuple[str, str]:
        """A key, and a certificate of the authority's for it; the first host names them."""
        return self._certified(hosts[0], hosts, self._authority())

    def edge(self, hosts: list[str]) -> tuple[str, str]:
        """A key, and a certificate that vouches for itself: browsers need not trust the services' own authority."""
        return self._certified("edge", hosts, None)

    def _authority(self) -> tuple[str, str]:
        key, kept = self._key("authority"), self._kept("authority.crt")
        if kept and certificates.is_good_authority(kept, key, self.now):
            return key, kept
        return key, self._keep("authority.crt", certificates.authority(key, "Sluice's services", self.now))

    def _certified(self, name: str, hosts: list[str], issuer: tuple[str, str] | None) -> tuple[str, str]:
        key, kept = self._key(name), self._kept(f"{name}.crt")
        if kept and certificates.is_good_server(kept, key, hosts, issuer and issuer[1], self.now):
            return key, kept
        return key, self._keep(f"{name}.crt", certificates.server(key, hosts, issuer, self.now))

    def _key(self, name: str) -> str:
        key = self._kept(f"{name}.key") or self._keep(f"{name}.key", certificates.new_key())
        if not certificates.is_key(key):
            raise self._refused(f"{name}.key", "is no private key of an elliptic curve in PEM form")
        return key

    def _kept(self, name: str) -> str | None:
        path = self.folder / name
        if not path.exists():
            return None
        content = path.read_text(encoding="utf-8")
        # A new one in its place would be another than what the servers know.
        if not content.strip():
            raise self._refused(name, "is empty")
        return content

    def _refused(self, name: str, why: str) -> VaultError:
        return VaultError(f"{self.folder / name} {why}; put back what was in it, or remove it to have a new one made")

    def _keep(self, name: str, content: str) -> str:
        files.write(self.folder / name, content, self.owner)
        return content
