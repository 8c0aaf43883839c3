"""Table of identity providers, from the setting ``GATEWAY_PROVIDERS``.

The table is one secret in JSON: it holds client secrets, and a provider is one decision, which is easier to review in
one place than in a dozen variables. ``google`` is a template, whose id and secret suffice.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError, model_validator

from gateway.identity.hosts import is_loopback

MAX_PROVIDERS = 20
MAX_RETURN_CHARACTERS = 500
"""Of a URL to return to, which travels in a cookie."""
RESERVED_NAMES = frozenset(
    (
        "identities",
        "keys",
        "login",
        "me",
        "password",
        "providers",
        "recovery-codes",
        "revoke",
        "session",
        "signup",
        "tickets",
        "token",
        "totp",
        "users",
        "verify",
    )
)
"""Paths below ``/auth/``, which no provider may have for a name."""
_PORT = re.compile(r"^(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?=/)")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TEMPLATES: Mapping[str, Mapping[str, Any]] = {"google": {"issuer": "https://accounts.google.com", "label": "Google"}}
_Role = Literal["searcher", "auditor", "admin"]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]


class Provider(BaseModel):
    """An identity provider, and what its people may do here.

    Attributes:
        name: its name in the table, and its path below ``/auth/``.
        label: its name for people.
        issuer: its issuer identifier, below which its metadata is.
        client_id: our id there.
        client_secret: our secret there.
        algorithm: the one that its ID tokens are signed with.
        scopes: asked for at a log-in.
        create: whether somebody unknown becomes a user: never, with an address in one of ``domains``, or always.
        domains: of mail addresses that the provider has verified.
        link: whether somebody unknown becomes the user of the same mail address, which both sides have verified.
        indices: that a user who is made so may search.
        role_claim: the claim that ``roles`` looks at, a text or a list of texts; without one roles stay as they are.
        roles: role by the claim's value.
        max_role: the highest role that the claim can bring.
        bearer: whether its ID tokens for ``client_id`` are taken as bearer tokens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    label: _Text
    issuer: Annotated[str, StringConstraints(max_length=255)]
    client_id: _Text
    client_secret: SecretStr = Field(min_length=1, max_length=1024)
    algorithm: Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"] = "RS256"
    scopes: tuple[_Text, ...] = Field(default=("openid", "email", "profile"), max_length=20)
    create: Literal["never", "domains", "always"] = "never"
    domains: tuple[_Domain, ...] = Field(default=(), max_length=100)
    link: bool = False
    indices: tuple[_Text, ...] = Field(default=(), max_length=100)
    role_claim: _Text | None = None
    roles: Mapping[str, _Role] = Field(default_factory=dict, max_length=1000)
    max_role: _Role = "searcher"
    bearer: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not is_endpoint(self.issuer, allow_loopback=True) or urlsplit(self.issuer).query:
            raise ValueError("issuer: must be a URL such as https://login.example.com, without query and fragment")
        if "openid" not in self.scopes:
            raise ValueError("scopes: must have openid")
        if (self.create == "domains") != bool(self.domains):
            raise ValueError('domains: goes with "create": "domains", and the other way round')
        if (self.role_claim is None) != (not self.roles):
            raise ValueError("roles: goes with role_claim, and the other way round")
        return self


def is_endpoint(url: str, *, allow_loopback: bool) -> bool:
    """Whether a URL may be called: on https; or, where that is allowed, on http at a loopback address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or re.search(r"[\s\\\x00-\x20]", url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and allow_loopback and is_loopback(host))


def is_return_url(url: str, allowed: tuple[str, ...]) -> bool:
    """Whether a log-in may return to a URL: compared whole, except the port of a loopback address (RFC 8252, 7.3)."""
    return url in allowed or _PORT.sub(r"\1", url, count=1) in {_PORT.sub(r"\1", each, count=1) for each in allowed}


@cache
def read_providers(text: str) -> Mapping[str, Provider]:
    """Read the table.

    Args:
        text: a JSON object of providers by name; an empty text is an empty table.

    Raises:
        ValueError: says what is wrong and where, and nothing of what is in it.
    """
    if not text.strip():
        return MappingProxyType({})
    try:
        table = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is no JSON: line {error.lineno}, column {error.colno}") from None
    if not isinstance(table, dict) or not all(isinstance(each, dict) for each in table.values()):
        raise ValueError('must be an object of providers by name, such as {"google": {"client_id": "…", …}}')
    if len(table) > MAX_PROVIDERS:
        raise ValueError(f"has more than {MAX_PROVIDERS} providers")
    providers = {name: _read(name, members) for name, members in table.items()}
    issuers = [provider.issuer for provider in providers.values()]
    if len(set(issuers)) < len(issuers):
        raise ValueError("has two providers of one issuer")
    return MappingProxyType(providers)


def _read(name: str, members: dict[str, Any]) -> Provider:
    if not _NAME.fullmatch(name):
        raise ValueError("has a name that is not a small letter and up to 31 small letters, digits and hyphens")
    if name in RESERVED_NAMES:
        raise ValueError(f"{name}: is a path below /auth/ already; give the provider another name")
    try:
        return Provider.model_validate({"label": name, **_TEMPLATES.get(name, {}), **members, "name": name})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join([name, *(str(part) for part in first["loc"])])
        raise ValueError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from None
