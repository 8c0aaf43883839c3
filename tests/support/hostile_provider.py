"""An identity provider that does wrong on demand, as the OpenID Foundation's suite for relying parties does by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

from joserfc.jwk import RSAKey

from local import identity_provider as honest
from tests.support.http_server import serving

CLIENT_ID = "sluice-test"
CLIENT_SECRET = "secret+of: the test's 100% client"
CALLBACK = "https://sluice.example/auth/corp/callback"

Claims = dict[str, Any]


@dataclass
class HostileProvider(honest.Provider):  # pylint: disable=too-many-instance-attributes  # one for each answer
    """A provider, each of whose answers a test can change.

    Attributes:
        change_claims: changes the claims of an ID token.
        sign: writes an ID token, in the place of the right way.
        change_metadata: changes the metadata.
        change_answer: changes the parameters that the browser brings back.
        keys: the key set, in the place of its own key's.
        person: the claims of userinfo, in the place of the right ones.
        status: of the token endpoint, in the place of the right one; 302 leads elsewhere.
        keys_status: the same of the key set.
        body: of the token endpoint, in the place of the right one.
        seen: the requests that have come: method and path.
    """

    change_claims: Callable[[Claims], Any] = lambda claims: None
    sign: Callable[[Claims], str] | None = None
    change_metadata: Callable[[Claims], Any] = lambda metadata: None
    change_answer: Callable[[dict[str, str]], Any] = lambda answer: None
    keys: dict[str, Any] | None = None
    person: Claims | None = None
    status: HTTPStatus | None = None
    keys_status: HTTPStatus | None = None
    body: bytes | None = None
    delay: Callable[[], Any] = lambda: None
    seen: list[str] = field(default_factory=list)

    def metadata(self) -> Claims:
        """The metadata, changed."""
        metadata = super().metadata()
        self.change_metadata(metadata)
        return metadata

    def key_set(self) -> Claims:
        """The key set."""
        return self.keys or super().key_set()

    def answer(self, code: str, state: str) -> dict[str, str]:
        """The answer that the browser brings back, changed."""
        answer = super().answer(code, state)
        self.change_answer(answer)
        return answer

    def claims(self, code: honest.Code, access_token: str) -> Claims:
        """The claims, changed."""
        claims = super().claims(code, access_token)
        self.change_claims(claims)
        return claims

    def id_token(self, claims: Claims) -> str:
        """The token, signed rightly or not."""
        return super().id_token(claims) if self.sign is None else self.sign(claims)

    def userinfo(self, subject: str) -> Claims:
        """The person."""
        return super().userinfo(subject) if self.person is None else self.person


class _Handler(honest.Handler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self._hostile.seen.append(f"GET {path}")
        if path == "/keys" and self._hostile.keys_status is not None:
            self._answer_wrongly(self._hostile.keys_status)
            return
        super().do_GET()

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        self._hostile.seen.append(f"POST {path}")
        if path == "/token":
            self._hostile.delay()
            if self._hostile.status is not None:
                self._answer_wrongly(self._hostile.status)
                return
        super().do_POST()

    def _answer_wrongly(self, status: HTTPStatus) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = self._hostile.body or b"{}"
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", f"{self._hostile.issuer}/elsewhere")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @property
    def _hostile(self) -> HostileProvider:
        return cast(HostileProvider, self.provider)


@contextmanager
def hostile_provider(key: RSAKey) -> Iterator[HostileProvider]:
    """A hostile provider, while the context lasts."""

    class Bound(_Handler):
        """The handler of this provider alone."""

    handler = Bound
    with serving(handler, threads=True) as url:
        provider = HostileProvider(url, CLIENT_ID, CLIENT_SECRET, CALLBACK, key)
        handler.provider = provider
        yield provider
