"""The table of identity providers, and URLs that a log-in may return to."""

from typing import Any

import orjson
import pytest
from django.urls import get_resolver
from pydantic import SecretStr

from gateway.identity.providers.settings import RESERVED_NAMES, is_return_url, read_providers
from gateway.settings import GatewaySettings
from kit.settings import ConfigurationError

_SECRET = "a-secret-of-the-client"
_OWN: dict[str, Any] = {"issuer": "https://login.example", "client_id": "sluice", "client_secret": _SECRET}


def _read(**table: Any) -> Any:
    return read_providers(orjson.dumps(table).decode())


def test_google_takes_an_id_and_a_secret() -> None:
    google = _read(google={"client_id": "us", "client_secret": _SECRET})["google"]
    assert (google.issuer, google.label, google.algorithm) == ("https://accounts.google.com", "Google", "RS256")
    assert (google.create, google.link, google.bearer, google.max_role) == ("never", False, False, "searcher")
    assert _SECRET not in repr(google)


def test_the_name_for_people_is_its_name_where_it_has_none() -> None:
    assert _read(corp=_OWN)["corp"].label == "corp"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"issuer": "http://login.example"}, "corp: issuer"),
        ({"issuer": "https://user@login.example"}, "corp: issuer"),
        ({"issuer": "https://login.example/?a"}, "corp: issuer"),
        ({"algorithm": "HS256"}, "corp.algorithm"),
        ({"algorithm": "none"}, "corp.algorithm"),
        ({"algorithm": "EdDSA"}, "corp.algorithm"),
        ({"scopes": ["email"]}, "corp: scopes"),
        ({"create": "domains"}, "corp: domains"),
        ({"domains": ["example.com"]}, "corp: domains"),
        ({"roles": {"staff": "admin"}}, "corp: roles"),
        ({"role_claim": "groups", "roles": {"staff": "root"}}, "corp.roles.staff"),
        ({"max_role": "root"}, "corp.max_role"),
        ({"client_secret": ""}, "corp.client_secret"),
        ({"colour": "red"}, "corp.colour"),
    ],
)
def test_a_bad_value_is_named_without_a_secret(members: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}") as raised:
        _read(corp=_OWN | members)
    assert _SECRET not in str(raised.value)


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1}', '{"A": {}}', '{"a b": {}}', '{"": {}}'])
def test_a_text_that_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(is no JSON|must be|has a name)"):
        read_providers(text)


def test_two_providers_of_one_issuer_are_refused() -> None:
    with pytest.raises(ValueError, match="one issuer"):
        _read(one=_OWN, two=_OWN)


def test_names_that_are_paths_are_refused() -> None:
    paths = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    below = {path.split("/")[1] for path in paths if path.startswith("auth/")} - {"<str:provider>"}
    assert below == RESERVED_NAMES
    for name in below:
        with pytest.raises(ValueError, match="is a path below /auth/"):
            _read(**{name: _OWN})


def test_http_is_for_loopback_and_for_the_embedded_stack_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    table = orjson.dumps({"demo": _OWN | {"issuer": "http://127.0.0.1:8002"}}).decode()
    monkeypatch.setenv("GATEWAY_PROVIDERS", table)
    with pytest.raises(ConfigurationError, match=r"GATEWAY_PROVIDERS: demo\.issuer: must be on https") as raised:
        GatewaySettings.load()
    assert _SECRET not in str(raised.value)
    monkeypatch.setenv("GATEWAY_LOOPBACK_PROVIDERS", "true")
    assert isinstance(GatewaySettings.load().providers, SecretStr)


@pytest.mark.parametrize(
    "url", ["ftp://a/", "http://console.example/", "https://a/#b", "https://u@a/", "https://a\\b/"]
)
def test_a_setting_of_an_unsafe_url_to_return_to_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_LOGIN_RETURN_URLS", f"https://console.example/,{url}")
    with pytest.raises(ConfigurationError, match="GATEWAY_LOGIN_RETURN_URLS: must be URLs"):
        GatewaySettings.load()


_ALLOWED = ("https://console.example/in", "http://127.0.0.1/in", "http://[::1]:7000/in")


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://console.example/in", True),
        ("http://127.0.0.1/in", True),
        ("http://127.0.0.1:49152/in", True),
        ("http://[::1]:49152/in", True),
        ("https://console.example:8443/in", False),
        ("https://console.example/in?more", False),
        ("https://console.example/in#", False),
        ("https://console.example/in/", False),
        ("https://console.example\\/in", False),
        ("https://console.example@evil.example/in", False),
        ("https://evil.example@console.example/in", False),
        ("//console.example/in", False),
        ("http://127.0.0.1:49152@evil.example/in", False),
        ("http://127.0.0.1:1:2/in", False),
        ("http://127.0.0.1.evil.example/in", False),
        ("http://localhost:49152/in", False),
        ("https://127.0.0.1:49152/in", False),
        ("http://127.0.0.1:49152//in", False),
        ("", False),
    ],
)
def test_a_url_to_return_to_is_compared_whole_except_the_port_of_loopback(url: str, is_allowed: bool) -> None:
    assert is_return_url(url, _ALLOWED) is is_allowed
