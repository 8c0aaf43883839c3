"""Answers of the room ``identity``: their types, from which OpenAPI is made."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from typing_extensions import TypedDict

from gateway.http.openapi import Count, described, example
from gateway.identity.models import Role


@described
class Tokens(TypedDict):
    """The tokens."""

    access_token: Annotated[str, example("eyJhbGciOiJSUzI1NiIs…")]
    """A JSON Web Token, to be sent as `Authorization: Bearer`."""
    token_type: Literal["Bearer"]
    expires_in: Annotated[Count, example(300)]
    """Seconds for which it is good."""
    refresh_token: NotRequired[Annotated[str, example("WyI1ZjM0…")]]
    """Good for one `POST /auth/token/refresh`; an API key brings none."""
    refresh_expires_in: NotRequired[Annotated[Count, example(604_800)]]
    """Seconds for which the log-in can be renewed."""


@described
class Claims(TypedDict):
    """The claims of the token."""

    iss: Annotated[str, example("sluice")]
    """The issuer."""
    aud: Annotated[str, example("sluice")]
    """The audience."""
    sub: Annotated[str, example("octoAdmin")]
    """The user's name; in a token of an identity provider, the account's subject there."""
    iat: Annotated[int, example(1_795_000_000)]
    """Time of issue, in seconds since 1970."""
    exp: Annotated[int, example(1_795_000_300)]
    """Time of expiry, in seconds since 1970."""
    jti: NotRequired[Annotated[str, example("S0mVb1rZ6lY0QyJ3xkUoNA")]]
    """Its own id."""
    sid: NotRequired[Annotated[str, example("5f3c9a0b7d2e4f615f3c9a0b7d2e4f61")]]
    """The id of the log-in, API key or OAuth client that it was issued for."""


@described
class ProviderAnswer(TypedDict):
    """An identity provider."""

    name: Annotated[str, example("google")]
    label: Annotated[str, example("Google")]
    """For people."""
    url: Annotated[str, example("https://sluice.example/auth/google")]
    """The address at which a browser begins to log in."""


@described
class Providers(TypedDict):
    """The identity providers, and what else a log-in window can offer."""

    providers: list[ProviderAnswer]
    sign_up: Annotated[bool, example(True)]
    """Whether `POST /auth/signup` is open to everybody."""
    new_password: Annotated[bool, example(True)]
    """Whether this gateway sends mail, as `POST /auth/password/forgot` has to."""


@described
class IdentityAnswer(TypedDict):
    """A provider's account, by which the caller logs in."""

    id: Annotated[int, example(7)]
    provider: Annotated[str | None, example("google")]
    """The provider's name; null where the gateway does not take it any more."""
    issuer: Annotated[str, example("https://accounts.google.com")]
    subject: Annotated[str, example("110169484474386276334")]
    """The account's name at the provider, which is never given to another one."""
    created_at: Annotated[datetime, example("2026-11-21T01:02:03Z")]
    last_used_at: Annotated[datetime | None, example("2026-11-27T01:02:03Z")]


@described
class Identities(TypedDict):
    """The caller's accounts of providers."""

    identities: list[IdentityAnswer]


@described
class LinkBegun(TypedDict):
    """The linking has begun."""

    url: Annotated[str, example("https://accounts.google.com/o/oauth2/v2/auth?…")]
    """The address to send the browser to."""


@described
class Asked(TypedDict):
    """The same answer for every address; what there is to say is in a mail to it."""


@described
class UserMade(TypedDict):
    """The user."""

    username: Annotated[str, example("ayse@example.com")]
    """By which, or by the mail address, the user logs in."""


@described
class Enrolment(TypedDict):
    """The second factor, which counts once it is confirmed."""

    secret: Annotated[str, example("JBSWY3DPEHPK3PXP…")]
    """In base32, for the authenticator."""
    uri: Annotated[str, example("otpauth://totp/Sluice:ayse?secret=JBSWY3DPEHPK3PXP…&issuer=Sluice")]
    """The same for a QR code."""


@described
class RecoveryCodes(TypedDict):
    """Codes for who has lost the authenticator; shown this once."""

    recovery_codes: Annotated[list[str], example(["0f3a9-71bce-5d2e4-f610a"])]
    """Each good once, in the place of a code."""


@described
class UserAnswer(TypedDict):
    """A user, as administrators see them."""

    username: Annotated[str, example("ayse")]
    full_name: Annotated[str, example("Ayşe Yılmaz")]
    email: Annotated[str | None, example("ayse@example.com")]
    email_verified: bool
    """Whether the user has used a link that was sent to the address."""
    role: Role
    indices: Annotated[list[str], example(["devices"])]
    """The indices that are granted; `*` is all."""
    writable_types: Annotated[list[str], example(["product"])]
    """The inventory types that the user may write."""
    active: bool
    totp: bool
    """Whether the user has a second factor."""
    created_at: Annotated[datetime, example("2026-11-21T01:02:03Z")]


@described
class OneUser(UserAnswer):
    """The user."""


@described
class Users(TypedDict):
    """Users by name."""

    users: list[UserAnswer]
    next: Annotated[str | None, example("ayse")]
    """The name to send as `after` for those that follow; null after the last."""


@described
class TicketAnswer(TypedDict):
    """The ticket."""

    ticket: Annotated[str, example("Zl3k…")]
    """For one use."""
    expires_in: Annotated[Count, example(30)]
    """Seconds for which it is good."""


@described
class OAuthErrorAnswer(TypedDict):
    """The error (RFC 6749, section 5.2)."""

    error: Annotated[str, example("invalid_grant")]
    error_description: Annotated[str, example("The refresh token is unknown, revoked or expired; log in again.")]


@described
class Introspection(TypedDict):
    """The token's metadata (RFC 7662, section 2.2)."""

    active: bool
    """Whether the token is good now, and was issued to the client that asks; nothing else is told where it is false."""
    client_id: NotRequired[Annotated[str, example("5f3c9a0b7d2e4f61")]]
    username: NotRequired[Annotated[str, example("ayse")]]
    sub: NotRequired[Annotated[str, example("ayse")]]
    token_type: NotRequired[Annotated[str, example("Bearer")]]
    """Of an access token."""
    iss: NotRequired[Annotated[str, example("sluice")]]
    aud: NotRequired[Annotated[str, example("sluice")]]
    jti: NotRequired[Annotated[str, example("S0mVb1rZ6lY0QyJ3xkUoNA")]]
    iat: NotRequired[Annotated[int, example(1_795_000_000)]]
    exp: NotRequired[Annotated[int, example(1_795_000_300)]]


@described
class ClientAnswer(TypedDict):
    """An OAuth client, without its secret."""

    client_id: Annotated[str, example("5f3c9a0b7d2e4f61")]
    name: Annotated[str, example("nightly export")]
    confidential: bool
    """Whether it has a secret."""
    grants: Annotated[list[str], example(["client_credentials"])]
    user: Annotated[str | None, example("export")]
    """The user that it acts as, by the grant `client_credentials`."""
    created_at: Annotated[datetime, example("2026-11-21T01:02:03Z")]


@described
class OneClient(ClientAnswer):
    """The client, without its secret."""


@described
class RegisteredClient(ClientAnswer):
    """The client, whose secret is shown this once."""

    client_secret: NotRequired[Annotated[str, example("pIq0…")]]
    """Shown this once; a public client has none."""


@described
class Clients(TypedDict):
    """The OAuth clients."""

    clients: list[ClientAnswer]


@described
class AuthorizationServer(TypedDict):
    """The metadata (RFC 8414, section 2)."""

    issuer: Annotated[str, example("https://sluice.example")]
    token_endpoint: Annotated[str, example("https://sluice.example/oauth/token")]
    revocation_endpoint: Annotated[str, example("https://sluice.example/oauth/revoke")]
    introspection_endpoint: Annotated[str, example("https://sluice.example/oauth/introspect")]
    jwks_uri: Annotated[str, example("https://sluice.example/.well-known/jwks.json")]
    service_documentation: Annotated[str, example("https://sluice.example/docs/")]
    response_types_supported: list[str]
    """None: there is no authorization endpoint."""
    grant_types_supported: Annotated[list[str], example(["client_credentials", "refresh_token"])]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]


@described
class ProtectedResource(TypedDict):
    """The metadata (RFC 9728, section 2)."""

    resource: Annotated[str, example("https://sluice.example")]
    authorization_servers: Annotated[list[str], example(["https://sluice.example"])]
    jwks_uri: Annotated[str, example("https://sluice.example/.well-known/jwks.json")]
    bearer_methods_supported: list[str]
    resource_documentation: Annotated[str, example("https://sluice.example/docs/")]


@described
class Revoked(TypedDict):
    """The token is invalid now."""


@described
class Me(TypedDict):
    """The caller."""

    username: Annotated[str, example("octoAdmin")]
    role: Role
    indices: Annotated[list[str], example(["devices"])]
    """The indices that the caller may search."""
    writable_types: Annotated[list[str], example(["product"])]
    """The inventory types that the caller is granted to write; administrators may write all."""
    live_url: NotRequired[Annotated[str, example("ws://127.0.0.1:8003")]]
    """The address of live sockets, if that is not the gateway's own."""


@described
class SessionTokens(Tokens):
    """A token of the console's session, and the caller."""

    me: Me


@described
class ApiKeyAnswer(TypedDict):
    """An API key, without its secret."""

    id: Annotated[str, example("5f3c9a0b7d2e4f61")]
    name: Annotated[str, example("nightly export")]
    created_at: Annotated[datetime, example("2026-11-21T01:02:03Z")]
    expires_at: Annotated[datetime | None, example("2027-02-19T01:02:03Z")]
    last_used_at: Annotated[datetime | None, example(None)]


@described
class NewApiKey(ApiKeyAnswer):
    """The key, whose text is shown this once."""

    api_key: Annotated[str, example("sluice_5f3c9a0b7d2e4f61_…")]
    """Shown this once."""


@described
class ApiKeys(TypedDict):
    """The caller's keys, without their secrets."""

    keys: list[ApiKeyAnswer]


@described
class KeySet(TypedDict):
    """The keys that access tokens are signed with."""

    keys: Annotated[
        list[dict[str, Any]], example([{"kty": "RSA", "n": "…", "e": "AQAB", "use": "sig", "alg": "RS256"}])
    ]
