"""The demo's identity provider: OpenID Connect for two people, on loopback and without passwords.

``python -m local.identity_provider PORT SECRET_FILE REDIRECT_URI`` serves it. The embedded stack starts it, so that a
log-in by a provider can be seen without an account anywhere; it is in no image. The tests make a hostile one.
"""

import base64
import html
import secrets
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "sluice"
CODE_SECONDS = 60
MAX_FORM_BYTES = 16 * 1024
MAX_CODES = 1000
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "ada": {"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": True, "groups": ["auditors"]},
    "grace": {"name": "Grace Hopper", "email": "grace@example.com", "email_verified": True, "groups": []},
}
"""The people by subject, with their claims."""


class Refused(Exception):
    """A request that is not answered as it wants; the message says why."""


@dataclass(frozen=True, slots=True)
class Code:
    """Request that a code was issued for."""

    subject: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    expires_at: float


@dataclass
class Provider:  # pylint: disable=too-many-instance-attributes  # its settings, and what it has issued
    """The provider of one client.

    Attributes:
        issuer: its address.
        client_id: the client's id.
        client_secret: the client's secret.
        redirect_uri: where it sends browsers back to, and nowhere else.
    """

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    key: RSAKey = field(default_factory=lambda: new_key("demo"))
    codes: dict[str, Code] = field(default_factory=dict)
    access_tokens: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def metadata(self) -> dict[str, Any]:
        """The metadata (OpenID Connect Discovery 1.0, section 3)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def key_set(self) -> dict[str, Any]:
        """The public keys."""
        return {"keys": [self.key.as_dict(private=False)]}

    def check(self, request: Mapping[str, str]) -> None:
        """Refuse a request for a log-in that is not the client's.

        Raises:
            Refused: it has another client, address or method.
        """
        expected = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        for name, value in expected.items():
            if request.get(name) != value:
                raise Refused(f"{name} is not the one that this provider expects")
        if "code_challenge" not in request or "openid" not in request.get("scope", "").split():
            raise Refused("code_challenge, or the scope openid, is missing")

    def log_in(self, request: Mapping[str, str], subject: str) -> str:
        """Issue a code; returns the address that the browser is sent back to."""
        self.check(request)
        if subject not in PEOPLE:
            raise Refused("there is no such person")
        code = secrets.token_urlsafe(16)
        with self.lock:
            while len(self.codes) >= MAX_CODES:
                self.codes.pop(next(iter(self.codes)))
            self.codes[code] = Code(
                subject,
                request["redirect_uri"],
                request["code_challenge"],
                request.get("nonce"),
                time.time() + CODE_SECONDS,
            )
        return f"{self.redirect_uri}?{urlencode(self.answer(code, request.get('state', '')))}"

    def answer(self, code: str, state: str) -> dict[str, str]:
        """Parameters of the address that the browser is sent back to."""
        return {"code": code, "state": state, "iss": self.issuer}

    def tokens(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """Exchange a code.

        Raises:
            Refused: the code or the client is another one.
        """
        expected = f"{self.client_id}:{self.client_secret}"
        scheme, _, encoded = authorization.partition(" ")
        if scheme != "Basic" or unquote_plus(base64.b64decode(encoded).decode()) != expected:
            raise Refused("the client is another one")
        with self.lock:
            code = self.codes.pop(form.get("code", ""), None)
        if code is None or code.expires_at < time.time() or form.get("redirect_uri") != code.redirect_uri:
            raise Refused("the code is unknown, used or expired")
        if s256(form.get("code_verifier", "")) != code.challenge:
            raise Refused("the verifier is another one")
        access_token = secrets.token_urlsafe(16)
        with self.lock:
            while len(self.access_tokens) >= MAX_CODES:
                self.access_tokens.pop(next(iter(self.access_tokens)))
            self.access_tokens[access_token] = code.subject
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": CODE_SECONDS,
            "id_token": self.id_token(self.claims(code, access_token)),
        }

    def claims(self, code: Code, access_token: str) -> dict[str, Any]:
        """The claims of an ID token."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": code.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + CODE_SECONDS,
            "nonce": code.nonce,
            "at_hash": half_hash(access_token),
            **PEOPLE[code.subject],
        }

    def id_token(self, claims: dict[str, Any]) -> str:
        """Sign an ID token."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def userinfo(self, subject: str) -> dict[str, Any]:
        """The claims of the userinfo endpoint."""
        return {"sub": subject, **PEOPLE[subject]}


def new_key(kid: str) -> RSAKey:
    """A key to sign with."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


def s256(verifier: str) -> str:
    """The challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def half_hash(token: str) -> str:
    """The hash of an access token that stands in an ID token (OpenID Connect Core 1.0, section 3.1.3.6)."""
    return base64.urlsafe_b64encode(sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


class Handler(BaseHTTPRequestHandler):
    """Serves a provider."""

    provider: ClassVar[Provider]
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """Log nothing, as paths have codes in them."""

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # as the library calls it
        """Metadata, keys, userinfo, and the page on which a person is chosen."""
        parts = urlsplit(self.path)
        try:
            match parts.path:
                case "/.well-known/openid-configuration":
                    self._json(self.provider.metadata())
                case "/keys":
                    self._json(self.provider.key_set())
                case "/userinfo":
                    self._json(self.provider.userinfo(self._subject()))
                case "/authorize":
                    request = dict(parse_qsl(parts.query))
                    self.provider.check(request)
                    self._page(request)
                case _:
                    self._send(HTTPStatus.NOT_FOUND, b"", "text/plain")
        except Refused as error:
            self._json({"error": "invalid_request", "error_description": str(error)}, HTTPStatus.BAD_REQUEST)

    def do_POST(self) -> None:  # pylint: disable=invalid-name  # as the library calls it
        """The person that was chosen, and the exchange of the code."""
        parts = urlsplit(self.path)
        try:
            length = int(self.headers.get("Content-Length") or 0)
            form = dict(parse_qsl(self.rfile.read(min(length, MAX_FORM_BYTES)).decode()))
            if parts.path == "/authorize":
                self._redirect(self.provider.log_in(dict(parse_qsl(parts.query)), form.get("subject", "")))
            elif parts.path == "/token":
                self._json(self.provider.tokens(form, self.headers.get("Authorization", "")))
            else:
                self._send(HTTPStatus.NOT_FOUND, b"", "text/plain")
        except (Refused, ValueError) as error:
            self._json({"error": "invalid_grant", "error_description": str(error)}, HTTPStatus.BAD_REQUEST)

    def _subject(self) -> str:
        subject = self.provider.access_tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if subject is None:
            raise Refused("the access token is unknown")
        return subject

    def _page(self, request: Mapping[str, str]) -> None:
        action = html.escape(f"/authorize?{urlencode(request)}")
        buttons = "".join(
            f'<button name="subject" value="{html.escape(subject)}">{html.escape(person["name"])}</button> '
            for subject, person in PEOPLE.items()
        )
        page = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Log in</title>
<h1>The demo provider</h1><p>It asks for no password. Log in as:</p>
<form method="post" action="{action}">{buttons}</form></html>"""
        self._send(HTTPStatus.OK, page.encode(), "text/html; charset=utf-8")

    def _json(self, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, orjson.dumps(value), "application/json")

    def _redirect(self, url: str) -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: HTTPStatus, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def main(arguments: Sequence[str]) -> None:
    """Serve the provider of one client until the process is stopped."""
    port, secret_file, redirect_uri = arguments
    secret = Path(secret_file).read_text(encoding="utf-8")

    class Bound(Handler):
        """The handler of this provider."""

        provider = Provider(f"http://127.0.0.1:{port}", CLIENT_ID, secret, redirect_uri)

    with ThreadingHTTPServer(("127.0.0.1", int(port)), Bound) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
