"""``/oauth/`` against the real trail: clients, grants, revocation, introspection, metadata."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from django.test import Client
from pydantic import SecretStr
from pytest_django import Settings

from gateway.identity import erasure, refresh_tokens
from gateway.identity.account_models import OAuthClient, Ticket, Totp
from gateway.identity.authorization_codes import issue_code, use_code
from gateway.identity.models import RefreshFamily, Role, User
from gateway.identity.oauth import grants
from gateway.identity.oauth.clients import new_secret
from tests.support.gateway import FindEvents
from tests.support.identity import OTHER_PASSWORD, PASSWORD, Ask, is_refused

FORM = "application/x-www-form-urlencoded"
EVERY_GRANT = ["authorization_code", "client_credentials", "password", "refresh_token"]
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
RETURN_TO = "https://console.example/"

Post = Callable[..., Any]
Registered = tuple[OAuthClient, str]


@pytest.fixture(autouse=True)
def _password_grant(stack: Settings) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"password_grant": True, "public_url": "https://sluice.example"})


@pytest.fixture
def post(client: Client, user: User) -> Post:
    """Posts a form: path, Authorization header, X-Request-ID; the parameters."""
    del user

    def send(path: str, authorized: str | None = None, request_id: str = "r", /, **form: str) -> Any:
        headers = {"X-Request-ID": request_id} | ({} if authorized is None else {"Authorization": authorized})
        return client.post(f"/oauth/{path}", urlencode(form), FORM, headers=headers)

    return send


def _register(grants: list[str], *, confidential: bool = True, user: User | None = None) -> Registered:
    registered = OAuthClient(name="a client", grants=grants, user=user)
    secret = new_secret(registered) if confidential else ""
    registered.save()
    return registered, secret


@pytest.fixture
def registered(user: User) -> Registered:
    """A confidential client with every grant, and its secret."""
    return _register(EVERY_GRANT, user=user)


def _basic(registered: Registered) -> str:
    pair = f"{quote_plus(registered[0].pk)}:{quote_plus(registered[1])}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _password(post: Post, registered: Registered) -> Any:
    answer = post("token", _basic(registered), grant_type="password", username="octoAdmin", password=PASSWORD)
    assert answer.status_code == 200
    return answer.json()


def _error(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description"}
    return answer.status_code, answer.json()["error"]


def test_a_client_comes_in_for_itself_as_its_user(post: Post, ask: Ask, registered: Registered) -> None:
    for authorized, form in (
        (_basic(registered), {}),
        (None, {"client_id": registered[0].pk, "client_secret": registered[1]}),
    ):
        answer = post("token", authorized, grant_type="client_credentials", **form)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
        assert ask("GET", "/auth/me", answer.json()["access_token"]).json()["username"] == "octoAdmin"


def test_the_password_grant_brings_tokens_that_only_its_client_renews(
    post: Post, ask: Ask, registered: Registered, user: User
) -> None:
    tokens = _password(post, registered)
    assert ask("GET", "/auth/me", tokens["access_token"]).status_code == 200
    other = _register(EVERY_GRANT, user=user)
    renewal = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert _error(post("token", _basic(other), **renewal)) == (400, "invalid_grant")
    assert _error(post("token", **renewal)) == (400, "invalid_grant")
    assert is_refused(ask("POST", "/auth/token/refresh", refresh_token=tokens["refresh_token"]))
    renewed = post("token", _basic(registered), **renewal)
    assert renewed.status_code == 200
    assert ask("GET", "/auth/me", renewed.json()["access_token"]).status_code == 200


def test_a_refresh_token_that_is_used_twice_ends_its_log_in(post: Post, ask: Ask, registered: Registered) -> None:
    tokens = _password(post, registered)
    renewal = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = post("token", _basic(registered), **renewal).json()
    assert RefreshFamily.objects.get().generation == 1
    RefreshFamily.objects.update(last_used_at=datetime.now(UTC) - timedelta(minutes=1))
    assert _error(post("token", _basic(registered), **renewal)) == (400, "invalid_grant")
    assert is_refused(ask("GET", "/auth/me", renewed["access_token"]))


def test_a_log_in_without_a_client_is_renewed_without_one(post: Post, ask: Ask, registered: Registered) -> None:
    tokens = ask("POST", "/auth/login", username="octoAdmin", password=PASSWORD).json()
    renewal = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert _error(post("token", _basic(registered), **renewal)) == (400, "invalid_grant")
    assert post("token", **renewal).status_code == 200


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, (400, "invalid_request")),
        ({"grant_type": ""}, (400, "invalid_request")),
        ({"grant_type": "implicit"}, (400, "unsupported_grant_type")),
        ({"grant_type": "g" * 65}, (400, "invalid_request")),
        ({"grant_type": "password", "username": "octoAdmin"}, (400, "invalid_request")),
        ({"grant_type": "password", "username": "octoAdmin", "password": "wrong"}, (400, "invalid_grant")),
        ({"grant_type": "password", "username": "nobody", "password": PASSWORD}, (400, "invalid_grant")),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, (400, "invalid_grant")),
        ({"grant_type": "authorization_code", "code": "x"}, (400, "invalid_request")),
        ({"grant_type": "authorization_code", "code": "x", "code_verifier": VERIFIER}, (400, "invalid_grant")),
        ({"grant_type": "client_credentials", "client_secret": "again"}, (400, "invalid_request")),
        ({"grant_type": "client_credentials", "client_id": "another"}, (400, "invalid_request")),
    ],
)
def test_what_is_wrong_has_the_standard_s_name(
    form: dict[str, str], expected: tuple[int, str], post: Post, registered: Registered
) -> None:
    assert _error(post("token", _basic(registered), **form)) == expected


def test_an_unknown_parameter_is_ignored_and_one_that_is_given_twice_is_not(
    post: Post, client: Client, registered: Registered
) -> None:
    assert post("token", _basic(registered), grant_type="client_credentials", scope="all").status_code == 200
    twice = "grant_type=client_credentials&grant_type=password"
    headers = {"Authorization": _basic(registered)}
    assert _error(client.post("/oauth/token", twice, FORM, headers=headers)) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"grant_type=%ff", FORM, 400),
        (b"a" * 5000, FORM, 413),
        (b"&".join(b"p%d=1" % number for number in range(50)), FORM, 400),
        (b"{}", "application/json", 415),
        (b"grant_type=client_credentials&client_id=%00", FORM, 400),
    ],
)
def test_bad_forms_are_no_fault(body: bytes, media_type: str, status: int, user: User) -> None:
    del user
    answer = Client().post("/oauth/token", body, media_type)
    assert answer.status_code == status
    assert _error(answer)[1] in ("invalid_request", "invalid_client")


def test_a_client_that_is_not_authenticated_gets_the_same_whatever_is_wrong(post: Post, registered: Registered) -> None:
    known, secret = registered
    public = _register(EVERY_GRANT, confidential=False)[0]
    answers = [
        post("token", authorized, grant_type="client_credentials", **form)
        for authorized, form in (
            (_basic((known, "wrong")), {}),
            (_basic((OAuthClient(pk="unknown"), secret)), {}),
            (None, {"client_id": known.pk}),
            (None, {"client_id": known.pk, "client_secret": secret[:-1]}),
            (None, {"client_id": public.pk, "client_secret": secret}),
        )
    ]
    assert {_error(answer) for answer in answers} == {(401, "invalid_client")}
    assert len({answer.content for answer in answers}) == 1
    assert all(answer["WWW-Authenticate"].startswith("Basic ") for answer in answers)
    for header in ("Basic", "Basic !", "Basic YQ==", "Bearer x"):
        assert _error(post("token", header, grant_type="client_credentials")) == (401, "invalid_client")
    assert _error(post("token", grant_type="client_credentials")) == (401, "invalid_client")


def test_a_public_client_has_no_grant_of_its_own(post: Post, user: User) -> None:
    public = _register(EVERY_GRANT, confidential=False, user=user)[0]
    answer = post("token", grant_type="client_credentials", client_id=public.pk)
    assert _error(answer) == (401, "invalid_client")
    by_password = {"grant_type": "password", "username": "octoAdmin", "password": PASSWORD}
    assert post("token", client_id=public.pk, **by_password).status_code == 200


def test_a_client_has_the_grants_that_it_was_given(post: Post, user: User) -> None:
    for grant in EVERY_GRANT:
        less = _register([each for each in EVERY_GRANT if each != grant], user=user)
        assert _error(post("token", _basic(less), grant_type=grant)) == (400, "unauthorized_client")


def test_a_client_that_may_not_refresh_gets_no_refresh_token(post: Post) -> None:
    assert "refresh_token" not in _password(post, _register(["password"]))


def test_the_password_grant_is_off_unless_it_is_switched_on_and_the_metadata_say_so(
    post: Post, ask: Ask, registered: Registered, stack: Settings
) -> None:
    place = "/.well-known/oauth-authorization-server"
    assert "password" in ask("GET", place).json()["grant_types_supported"]
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"password_grant": False})
    metadata = ask("GET", place).json()
    assert metadata["grant_types_supported"] == ["client_credentials", "refresh_token"]
    answer = post("token", _basic(registered), grant_type="password", username="octoAdmin", password=PASSWORD)
    assert _error(answer) == (400, "unsupported_grant_type")


def test_the_password_grant_refuses_accounts_with_a_second_factor(
    post: Post, registered: Registered, user: User, stack: Settings
) -> None:
    form = {"grant_type": "password", "username": "octoAdmin", "password": PASSWORD}
    Totp.objects.create(user=user, sealed_secret="", confirmed_at=datetime.now(UTC))
    assert _error(post("token", _basic(registered), **form)) == (400, "invalid_grant")
    Totp.objects.all().delete()
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"factor_roles": ("searcher",)})
    assert _error(post("token", _basic(registered), **form)) == (400, "invalid_grant")
    assert not RefreshFamily.objects.exists()


def test_failing_passwords_are_limited_with_those_of_log_ins(
    post: Post, registered: Registered, stack: Settings
) -> None:
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"login_failures": "1/hour"})
    wrong = {"grant_type": "password", "username": "octoAdmin", "password": "wrong"}
    assert _error(post("token", _basic(registered), **wrong)) == (400, "invalid_grant")
    throttled = post("token", _basic(registered), **wrong)
    assert _error(throttled) == (429, "slow_down")
    assert int(throttled["Retry-After"]) > 0


def test_a_client_of_an_inactive_user_or_an_administrator_does_not_come_in(
    post: Post, registered: Registered, user: User
) -> None:
    for change in ({"role": Role.ADMIN}, {"role": Role.SEARCHER, "is_active": False}):
        User.objects.filter(pk=user.pk).update(**change)
        answer = post("token", _basic(registered), grant_type="client_credentials")
        assert _error(answer) == (400, "invalid_grant")


def _code(user: User, client_id: str | None = None, **options: Any) -> str:
    return issue_code(user, options.get("now", datetime.now(UTC)), CHALLENGE, RETURN_TO, client_id)


def _redeem(post: Post, code: str, authorized: str | None = None, **form: str) -> Any:
    form = {"code_verifier": VERIFIER, "redirect_uri": RETURN_TO, **form}
    return post("token", authorized, grant_type="authorization_code", code=code, **form)


def test_a_code_brings_tokens_to_who_has_the_verifier(post: Post, ask: Ask, user: User, registered: Registered) -> None:
    for code, authorized in ((_code(user), None), (_code(user, registered[0].pk), _basic(registered))):
        tokens = _redeem(post, code, authorized)
        assert tokens.status_code == 200
        assert ask("GET", "/auth/me", tokens.json()["access_token"]).status_code == 200


def test_a_code_is_good_for_nobody_else_and_not_later(post: Post, user: User, registered: Registered) -> None:
    basic = _basic(registered)
    for code, authorized, form in (
        (_code(user), None, {"code_verifier": "w" * 43}),
        (_code(user), None, {"code_verifier": CHALLENGE}),
        (_code(user), None, {"code_verifier": "v"}),
        (_code(user), None, {"redirect_uri": "https://evil.example/"}),
        (_code(user), basic, {}),
        (_code(user, registered[0].pk), None, {}),
        (_code(user, now=datetime.now(UTC) - timedelta(seconds=60)), None, {}),
    ):
        assert _error(_redeem(post, code, authorized, **form)) == (400, "invalid_grant")
    assert not RefreshFamily.objects.exists()


def test_a_code_that_is_shown_twice_ends_what_it_brought(post: Post, ask: Ask, user: User) -> None:
    code = _code(user)
    tokens = _redeem(post, code).json()
    assert _error(_redeem(post, code)) == (400, "invalid_grant")
    assert is_refused(ask("GET", "/auth/me", tokens["access_token"]))
    assert _error(post("token", grant_type="refresh_token", refresh_token=tokens["refresh_token"]))[0] == 400
    assert code not in str(Ticket.objects.values().get())


def test_a_code_that_is_shown_again_while_its_log_in_is_made_brings_none(
    post: Post, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, start_family = _code(user), refresh_tokens.start_family

    def start_late(*given: Any) -> RefreshFamily:
        assert use_code(code, VERIFIER, RETURN_TO, None, datetime.now(UTC)) is None
        return start_family(*given)

    monkeypatch.setattr(grants, "start_family", start_late)
    assert _error(_redeem(post, code)) == (400, "invalid_grant")
    assert not RefreshFamily.objects.exists()


@pytest.mark.parametrize("grant", ["password", "authorization_code"])
def test_a_client_s_token_makes_no_credential_and_administers_nothing(  # pylint: disable=too-many-locals  # a story
    grant: str, post: Post, client: Client, registered: Registered, stack: Settings
) -> None:
    user = User.objects.get()
    corp = {"corp": {"issuer": "https://login.example", "client_id": "sluice", "client_secret": "s"}}
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"providers": SecretStr(json.dumps(corp))})
    User.objects.filter(pk=user.pk).update(role=Role.ADMIN)
    identity = user.identities.create(issuer="https://login.example", subject="1")
    Totp.objects.create(user=user, sealed_secret="")
    code = _code(user, registered[0].pk)
    tokens = _password(post, registered) if grant == "password" else _redeem(post, code, _basic(registered)).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Origin": "https://sluice.example"}
    before = User.objects.values().get(), OAuthClient.objects.count()
    for method, path, body in (
        ("POST", "/auth/keys", {"name": "for ever"}),
        ("POST", "/auth/corp/link", {}),
        ("DELETE", f"/auth/identities/{identity.pk}", {}),
        ("POST", "/auth/totp", {}),
        ("POST", "/auth/totp/confirm", {"code": "000000"}),
        ("DELETE", "/auth/totp", {}),
        ("POST", "/auth/recovery-codes", {}),
        ("POST", "/auth/session", {}),
        ("GET", "/auth/users", {}),
        ("POST", "/auth/users", {"username": "second", "password": PASSWORD, "role": "admin"}),
        ("GET", "/auth/users/octoAdmin", {}),
        ("PATCH", "/auth/users/octoAdmin", {"full_name": "A"}),
        ("DELETE", "/auth/users/octoAdmin", {}),
        ("POST", "/oauth/clients", {"name": "another", "grants": ["password"]}),
        ("DELETE", f"/oauth/clients/{registered[0].pk}", {}),
    ):
        media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = client.generic(method, path, json.dumps(body), media_type, headers=headers | {"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path)
    assert (User.objects.values().get(), OAuthClient.objects.count()) == before
    assert user.identities.exists() and Totp.objects.exists() and not user.api_keys.exists()


def test_the_erasure_of_a_client_s_user_ends_what_others_have_let_it_have(
    post: Post, ask: Ask, registered: Registered, user: User
) -> None:
    User.objects.create_user("another", PASSWORD)
    form = {"grant_type": "password", "username": "another", "password": PASSWORD}
    token = post("token", _basic(registered), **form).json()["access_token"]
    assert ask("GET", "/auth/me", token).status_code == 200
    erasure.delete(user, erasure.find_rows(user))
    assert is_refused(ask("GET", "/auth/me", token))


def test_a_client_asks_about_its_own_tokens(post: Post, registered: Registered) -> None:
    tokens = _password(post, registered)
    access = post("introspect", _basic(registered), token=tokens["access_token"]).json()
    assert (
        access.items() >= {"active": True, "client_id": registered[0].pk, "sub": "octoAdmin", "iss": "sluice"}.items()
    )
    refresh = post("introspect", _basic(registered), token=tokens["refresh_token"], token_type_hint="x").json()
    assert (refresh["active"], refresh["username"]) == (True, "octoAdmin")


def test_no_client_learns_of_other_tokens_or_of_those_that_have_ended(
    post: Post, ask: Ask, registered: Registered, user: User
) -> None:
    own, foreign = _password(post, registered), _password(post, _register(EVERY_GRANT, user=user))
    first_party = ask("POST", "/auth/login", username="octoAdmin", password=PASSWORD).json()
    tokens = ["x", *(each[kind] for each in (foreign, first_party) for kind in ("access_token", "refresh_token"))]
    used = own["refresh_token"]
    post("token", _basic(registered), grant_type="refresh_token", refresh_token=used)
    post("revoke", _basic(registered), token=own["access_token"])
    for token in (*tokens, used, own["access_token"]):
        assert post("introspect", _basic(registered), token=token).json() == {"active": False}
    public = _register(EVERY_GRANT, confidential=False)[0]
    assert _error(post("introspect", token="x", client_id=public.pk)) == (401, "invalid_client")
    assert _error(post("introspect", token="x")) == (401, "invalid_client")


def test_a_client_ends_its_own_tokens_and_no_others(post: Post, ask: Ask, registered: Registered, user: User) -> None:
    other = _register(EVERY_GRANT, user=user)
    tokens = _password(post, registered)
    for kind in ("access_token", "refresh_token"):
        assert _error(post("revoke", _basic(other), token=tokens[kind])) == (400, "unauthorized_client")
    assert ask("GET", "/auth/me", tokens["access_token"]).status_code == 200
    assert post("revoke", _basic(registered), token=tokens["refresh_token"]).status_code == 200
    assert is_refused(ask("GET", "/auth/me", tokens["access_token"]))
    assert post("revoke", _basic(registered), token="x").status_code == 200


def test_the_metadata_name_what_there_is_by_the_public_address(ask: Ask, client: Client) -> None:
    server = client.get("/.well-known/oauth-authorization-server", headers={"X-Forwarded-Host": "evil.example"}).json()
    assert server["issuer"] == "https://sluice.example"
    for name, url in server.items():
        if name.endswith(("_endpoint", "_uri")):
            path = url.removeprefix("https://sluice.example")
            assert path.startswith("/")
            assert ask("GET", path).status_code in (200, 405), name
    resource = ask("GET", "/.well-known/oauth-protected-resource").json()
    assert resource["authorization_servers"] == [server["issuer"]]


@pytest.fixture
def token(ask: Ask) -> str:
    """The token of an administrator."""
    User.objects.create_superuser("operator", PASSWORD)
    answer = ask("POST", "/auth/token", username="operator", password=PASSWORD)
    return str(answer.json()["access_token"])


def test_an_administrator_registers_changes_and_deletes_a_client(  # pylint: disable=too-many-locals  # a story
    ask: Ask, client: Client, token: str, post: Post, find_events: FindEvents
) -> None:
    asked = {"name": "export", "grants": ["client_credentials"], "user": "octoAdmin"}
    made = ask("POST", "/oauth/clients", token, "oauth-made", **asked)
    assert made.status_code == 201
    shown, secret = made.json(), made.json().pop("client_secret")
    assert secret not in str(OAuthClient.objects.values().get())
    place = f"/oauth/clients/{shown['client_id']}"
    assert "client_secret" not in ask("GET", place, token).json()
    assert len(ask("GET", "/oauth/clients", token).json()["clients"]) == 1
    basic = _basic((OAuthClient(pk=shown["client_id"]), secret))
    access = post("token", basic, grant_type="client_credentials").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "If-Match": made["ETag"], "X-Request-ID": "oauth-changed"}
    patch = "application/merge-patch+json"
    assert client.patch(place, {"name": "new"}, patch, headers=headers).json()["name"] == "new"
    assert client.patch(place, {"name": "old"}, patch, headers=headers).status_code == 412
    assert client.delete(place, headers=headers | {"If-Match": "*", "X-Request-ID": "oauth-gone"}).status_code == 204
    assert is_refused(ask("GET", "/auth/me", access))
    assert _error(post("token", basic, grant_type="client_credentials")) == (401, "invalid_client")
    assert ask("GET", place, token, "oauth-sought").status_code == 404
    ask("GET", "/oauth/clients", token, "oauth-listed")
    for request_id, words in (
        ("oauth-sought", f'show OAuth client "{shown["client_id"]}"'),
        ("oauth-listed", "list OAuth clients"),
    ):
        (event,) = find_events(request_id)
        assert event["data"]["query"] == words
    for request_id, words in (("oauth-made", "add OAuth client"), ("oauth-gone", "delete OAuth client")):
        (event,) = find_events(request_id)
        assert (event["event_type"], event["user_id"]) == ("admin.changed", "operator")
        assert event["data"]["query"].startswith(words)
        assert secret not in str(event)


@pytest.mark.parametrize(
    "members",
    [
        {"grants": []},
        {"grants": ["implicit"]},
        {"grants": ["client_credentials"]},
        {"grants": ["client_credentials"], "user": "nobody"},
        {"grants": ["client_credentials"], "user": "operator"},
        {"grants": ["client_credentials"], "user": "octoAdmin", "confidential": False},
        {"grants": ["password"], "name": ""},
        {"grants": ["password"], "secret": "mine"},
    ],
)
def test_what_a_client_cannot_be_is_refused(members: dict[str, Any], ask: Ask, token: str) -> None:
    assert ask("POST", "/oauth/clients", token, **{"name": "a client", **members}).status_code == 400
    assert not OAuthClient.objects.exists()


def test_only_administrators_see_clients(ask: Ask, user: User) -> None:
    del user
    token = ask("POST", "/auth/token", username="octoAdmin", password=PASSWORD).json()["access_token"]
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/x"), ("PATCH", "/x"), ("DELETE", "/x")):
        assert ask(method, f"/oauth/clients{path}", token).status_code == 403


def test_every_call_is_an_event(post: Post, registered: Registered, find_events: FindEvents) -> None:
    basic = _basic(registered)
    by_password = {"grant_type": "password", "username": "octoAdmin"}
    token = post("token", basic, "oauth-in", **by_password, password=PASSWORD).json()["refresh_token"]
    post("token", basic, "oauth-wrong", **by_password, password=OTHER_PASSWORD)
    post("token", _basic((registered[0], "x")), "oauth-stranger", grant_type="client_credentials")
    post("introspect", basic, "oauth-asked", token=token)
    post("revoke", basic, "oauth-ended", token=token)
    expected = {
        "oauth-in": ("auth.succeeded", "octoAdmin", "oauth-password"),
        "oauth-wrong": ("auth.failed", None, None),
        "oauth-stranger": ("auth.failed", None, None),
        "oauth-asked": ("auth.succeeded", f"client:{registered[0].pk}", "oauth-client"),
        "oauth-ended": ("auth.succeeded", "octoAdmin", "oauth-token"),
    }
    for request_id, wanted in expected.items():
        (event,) = find_events(request_id)
        assert (event["event_type"], event["user_id"], event["metadata"]["auth_scheme"]) == wanted, request_id
        assert not any(secret in str(event) for secret in (token, registered[1], PASSWORD, OTHER_PASSWORD))


def test_what_cannot_be_recorded_has_not_happened(
    post: Post, registered: Registered, without_trail: Callable[[], None]
) -> None:
    token = _password(post, registered)["refresh_token"]
    without_trail()
    for path, form in (
        ("token", {"grant_type": "refresh_token", "refresh_token": token}),
        ("token", {"grant_type": "password", "username": "octoAdmin", "password": PASSWORD}),
        ("revoke", {"token": token}),
        ("introspect", {"token": token}),
    ):
        assert _error(post(path, _basic(registered), **form)) == (503, "temporarily_unavailable")
    family = RefreshFamily.objects.get()
    assert (family.generation, family.revoked_at) == (0, None)
