"""``/auth/{provider}``: log-in by an identity provider; ``/auth/identities``: which accounts a user has linked.

The user, the tokens or the code, and the event are in one transaction, written last: where the trail or the database is
away, nothing has been made, and the person begins again.
"""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT, CredentialsView
from gateway.http.openapi import KNOWN, operation
from gateway.http.problems import malformed
from gateway.http.query_string import read_parameters
from gateway.http.views import PublicView
from gateway.identity.account_models import Identity, OAuthClient
from gateway.identity.authentication import caller
from gateway.identity.authorization_codes import CHALLENGE, issue_code
from gateway.identity.metrics import LOG_INS
from gateway.identity.proof import ProvenView, proven_token, require_fresh_log_in
from gateway.identity.providers.accounts import Admitted, admit
from gateway.identity.providers.exchange import (
    MAX_CODE_CHARACTERS,
    authorization_url,
    claims_of_code,
    is_of_provider,
)
from gateway.identity.providers.flows import Flow, Return, forget_flow, keep_flow, take_flow
from gateway.identity.providers.settings import MAX_RETURN_CHARACTERS, Provider, is_return_url, read_providers
from gateway.identity.refresh_tokens import start_family
from gateway.identity.schema import Identities, IdentityAnswer, LinkBegun, ProviderAnswer, Providers, Tokens
from gateway.identity.second_factor import FactorRequired, require_factor
from gateway.identity.token_answers import log_in_answer

_operation = partial(operation, group="Log in")
_PROVIDER = OpenApiParameter("provider", str, OpenApiParameter.PATH, description="Its name in `GET /auth/providers`.")
_KIND = "oidc"
MAX_STATE_CHARACTERS = 200


def _query(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, description=description)


class ProvidersView(PublicView):
    """The providers that there are.

    It makes no event: it shows everybody the same, and the console asks each time that it shows the log-in.
    """

    @_operation("providers", Providers, problems=(429,))
    def get(self, request: Request) -> Response:
        """List the providers that people can log in by.

        A browser begins at `url`. Says also whether one can sign up, or ask for a new password.
        """
        del request
        url = settings.GATEWAY.public_url
        found = [
            ProviderAnswer(name=name, label=provider.label, url=f"{url}/auth/{name}")
            for name, provider in _providers().items()
        ]
        sends_mail = settings.GATEWAY.mail_url is not None
        sign_up = settings.GATEWAY.signup and sends_mail
        return Response(Providers(providers=found, sign_up=sign_up, new_password=sends_mail))


class BeginView(CredentialsView):
    """Beginning of a log-in by a provider."""

    @_operation(
        "begin_provider_log_in",
        None,
        also={302: OpenApiResponse(description="To the provider; the cookie ties its answer to this browser.")},
        problems=(400, 404, 429, 503),
        parameters=[
            _PROVIDER,
            _query("return_to", "One of `GATEWAY_LOGIN_RETURN_URLS`; the callback redirects there with a `code`."),
            _query("code_challenge", "Of PKCE (RFC 7636); goes with return_to."),
            _query("code_challenge_method", "`S256`; goes with return_to."),
            _query("client_id", "The OAuth client that redeems the code, if it is registered."),
            _query("state", "Comes back with the code."),
        ],
    )
    def get(self, request: Request, provider: str) -> Response:
        """Begin a log-in by a provider, in a browser.

        The callback answers with tokens, as `POST /auth/login` does. With `return_to` it redirects there with a code,
        which `POST /oauth/token` turns into tokens within a minute.
        """
        found = _find(provider)
        flow = Flow.begin(found, _read_return(read_parameters(request)))
        response = _to(authorization_url(found, flow))
        self.record_unknown(request, HTTPStatus.FOUND, f"begin a log-in by {found.name}")
        keep_flow(request, response, flow, datetime.now(UTC))
        return response


class CallbackView(CredentialsView):
    """End of a log-in by a provider."""

    _back: Return | None = None

    @_operation(
        "end_provider_log_in",
        Tokens,
        also={
            302: OpenApiResponse(
                description="To `return_to`, with `code`, `iss`, and `state` if there was one; or with `error`, which "
                "is `access_denied`, or `factor_required` with `enrolled` and, if that is true, a `ticket`, which "
                "takes the `code_verifier` of the challenge."
            )
        },
        problems=(400, 401, 403, 404, 429, 503),
        parameters=[
            _PROVIDER,
            _query("state", "As the provider was given it."),
            _query("code", "Of the provider."),
            _query("iss", "The provider's issuer (RFC 9207)."),
            _query("error", "Why the provider refuses."),
        ],
    )
    def get(self, request: Request, provider: str) -> Response:
        """End a log-in by a provider; providers send browsers here.

        Good once, within ten minutes, in the browser that has begun it. For an account with a second factor it brings
        401 `factor_required`, whose `ticket` goes to `POST /auth/login` with a `code`. With `return_to` both refusals
        and that go there (RFC 6749, section 4.1.2.1).
        """
        found, now = _find(provider), datetime.now(UTC)
        flow = take_flow(request, found, answer := read_parameters(request), now)
        self._back = flow.back
        claims = claims_of_code(found, flow, _read_code(found, answer), now)
        try:
            response = self._let_in_once(request, found, flow, claims, now)
        except IntegrityError:
            # Another log-in of the same account was first, and has made what is found now.
            response = self._let_in_once(request, found, flow, claims, now)
        LOG_INS.labels(_KIND, "ok").inc()
        forget_flow(response, flow)
        return response

    def handle_exception(self, exc: Exception) -> Any:
        """Count refusals, and log-ins that lack their second factor; who has a ``return_to`` is told there."""
        error: dict[str, str] | None = None
        if isinstance(exc, FactorRequired):
            LOG_INS.labels(_KIND, "ok").inc()
            enrolled = "true" if exc.members["enrolled"] else "false"
            error = {"error": exc.code, "enrolled": enrolled}
            if "ticket" in exc.members:
                error["ticket"] = exc.members["ticket"]
        elif isinstance(exc, AuthenticationFailed) or getattr(exc, "status", None) in (400, 403):
            LOG_INS.labels(_KIND, "refused").inc()
            error = {"error": "access_denied"}
        response = super().handle_exception(exc)
        is_told = response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        return _back_to(self._back, error) if self._back and error and is_told else response

    def _let_in_once(
        self, request: Request, provider: Provider, flow: Flow, claims: dict[str, Any], now: datetime
    ) -> Response:
        scheme, factor = f"oidc-{provider.name}", None
        with transaction.atomic():
            admitted = admit(provider, claims, now, flow.link)
            draft = self.let_in(request, admitted.user.username, scheme)
            draft.query = "; ".join(admitted.changes) or None
            try:
                response = _answer(flow, admitted, now, scheme)
            except FactorRequired as required:
                factor = required
            else:
                draft.status = HTTPStatus(response.status_code)
            record_event(draft, factor)
        if factor is not None:
            # Outside the transaction, which would take the ticket back, and a user who has just been made.
            raise factor
        return response


class IdentitiesView(ProvenView):
    """The caller's accounts of providers."""

    @_operation("identities", Identities, problems=(*KNOWN, 403))
    def get(self, request: Request) -> Response:
        """List your accounts of providers."""
        draft = self.begin(request)
        found = [_described(each) for each in caller(request).identities.order_by("pk")]
        record_event(draft)
        return Response(Identities(identities=found))


class IdentityView(ProvenView):
    """One of the caller's accounts of providers."""

    @_operation(
        "unlink_identity",
        None,
        also={204: OpenApiResponse(description="The account lets nobody in any more.")},
        problems=(*KNOWN, 400, 403, 404),
        parameters=[OpenApiParameter("identity_id", int, OpenApiParameter.PATH, description="Its id.")],
    )
    def delete(self, request: Request, identity_id: int) -> Response:
        """Unlink an account of a provider.

        Within five minutes of a log-in. An unknown one is gone already. The only way in of a user without a password
        stays.
        """
        draft = self.begin(request)
        require_fresh_log_in(proven_token(request), datetime.now(UTC))
        draft.status = HTTPStatus.NO_CONTENT
        with transaction.atomic():
            user = caller(request)
            user.lock()
            others = user.identities.exclude(pk=identity_id)
            if not user.has_usable_password() and not others.exists():
                raise malformed("This account is your only way in; set a password, or link another account, first.")
            identity = user.identities.filter(pk=identity_id).first()
            if identity is not None:
                identity.delete()
                draft.query = f"unlink an account of {_name_of(identity.issuer) or identity.issuer}"
            record_event(draft)
        return Response(status=draft.status)


class LinkView(ProvenView):
    """Beginning of the linking of an account."""

    @_operation("link_identity", LinkBegun, problems=(*KNOWN, 403, 404), parameters=[_PROVIDER])
    def post(self, request: Request, provider: str) -> Response:
        """Begin to link an account of a provider to your user.

        Within five minutes of a log-in. Send the browser that has sent this to the address in the answer; the callback
        links the account, and answers with tokens of a new log-in.
        """
        draft, now = self.begin(request), datetime.now(UTC)
        found = _find(provider)
        draft.query = f"begin to link an account of {found.name}"
        family = require_fresh_log_in(proven_token(request), now)
        flow = Flow.begin(found, link=(family.user_id, family.pk.hex))
        response = Response(LinkBegun(url=authorization_url(found, flow)), headers=NOT_KEPT)
        keep_flow(request, response, flow, now)
        record_event(draft)
        return response


def _providers() -> Any:
    return read_providers(settings.GATEWAY.providers.get_secret_value())


def _find(name: str) -> Provider:
    provider: Provider | None = _providers().get(name)
    if provider is None:
        raise Http404
    return provider


def _read_return(parameters: dict[str, str]) -> Return | None:
    """The address to return to; None for a request without parameters, which gets its tokens from the callback.

    Raises:
        Problem: 400.
    """
    if not parameters:
        return None
    unknown = parameters.keys() - {"return_to", "code_challenge", "code_challenge_method", "client_id", "state"}
    if unknown:
        raise malformed(f"{min(unknown)[:100]}: There is no such parameter.")
    url, state = parameters.get("return_to", ""), parameters.get("state")
    # The console's own address needs no setting.
    allowed = (f"{settings.GATEWAY.public_url}/", *settings.GATEWAY.login_return_urls)
    if len(url) > MAX_RETURN_CHARACTERS or not is_return_url(url, allowed):
        raise malformed("return_to: This is not among GATEWAY_LOGIN_RETURN_URLS.")
    challenge, method = parameters.get("code_challenge", ""), parameters.get("code_challenge_method")
    if method != "S256" or not CHALLENGE.fullmatch(challenge):
        raise malformed("code_challenge: Send the challenge of a PKCE verifier, and code_challenge_method=S256.")
    if state is not None and (len(state) > MAX_STATE_CHARACTERS or not (state.isascii() and state.isprintable())):
        raise malformed(f"state: Send at most {MAX_STATE_CHARACTERS} printable characters of ASCII.")
    client_id = parameters.get("client_id")
    if client_id is not None:
        client = OAuthClient.objects.filter(pk=client_id).first()
        if client is None or "authorization_code" not in client.grants:
            raise malformed("client_id: There is no such client that has the grant authorization_code.")
    return Return(url, challenge, client_id, state)


def _read_code(provider: Provider, answer: dict[str, str]) -> str:
    """The code of an answer that comes from the provider.

    Raises:
        AuthenticationFailed: the provider refuses.
        Problem: 400, it does not come from this provider, or has no code.
    """
    if not is_of_provider(provider, answer):
        raise malformed("iss: The answer is another provider's; begin again.")
    if "error" in answer:
        raise AuthenticationFailed("The provider refuses the log-in; begin again, and allow it there.")
    code = answer.get("code", "")
    if not 0 < len(code) <= MAX_CODE_CHARACTERS:
        raise malformed(f"code: Send the provider's, which has at most {MAX_CODE_CHARACTERS:,} characters.")
    return code


def _answer(flow: Flow, admitted: Admitted, now: datetime, scheme: str) -> Response:
    user, back = admitted.user, flow.back
    if back is None:
        require_factor(user, now, scheme)
        return Response(log_in_answer(start_family(user, now), now), headers=NOT_KEPT)
    require_factor(user, now, scheme, challenge=back.challenge, client_id=back.client_id)
    user.lock()
    code = issue_code(user, now, back.challenge, back.url, back.client_id)
    return _back_to(back, {"code": code})


def _back_to(back: Return, members: dict[str, str]) -> Response:
    query = members | {"iss": settings.GATEWAY.public_url}
    if back.state is not None:
        query["state"] = back.state
    parts = urlsplit(back.url)
    return _to(urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(query)))))))


def _to(url: str) -> Response:
    return Response(status=HTTPStatus.FOUND, headers={**NOT_KEPT, "Location": url})


def _name_of(issuer: str) -> str | None:
    """The name of the provider of an issuer; None for one that is in the table no more."""
    return next((name for name, provider in _providers().items() if provider.issuer == issuer), None)


def _described(identity: Identity) -> IdentityAnswer:
    return {
        "id": identity.pk,
        "provider": _name_of(identity.issuer),
        "issuer": identity.issuer,
        "subject": identity.subject,
        "created_at": identity.created_at,
        "last_used_at": identity.last_used_at,
    }
