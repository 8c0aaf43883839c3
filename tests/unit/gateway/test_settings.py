"""The variables that configure the gateway."""

from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from kit.settings import ConfigurationError


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SEARCH_INDICES", "devices, assets,")
    monkeypatch.setenv("GATEWAY_ALLOWED_HOSTS", "sluice.example")
    settings = GatewaySettings.load()
    assert settings.search_indices == ("devices", "assets")
    assert settings.allowed_hosts == ("sluice.example",)


def test_the_secret_key_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.delenv("GATEWAY_SECRET_KEY")
    monkeypatch.setenv("GATEWAY_SECRET_KEY_FILE", str(tmp_path / "key"))
    settings = GatewaySettings.load()
    assert settings.secret_key.get_secret_value() == "from the file"
    assert "from the file" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_PORT", "http"),
        ("GATEWAY_PORT", "65536"),
        ("GATEWAY_WORKERS", "0"),
        ("GATEWAY_THREADS", "1000"),
        ("GATEWAY_UNSIGNED_TOKENS", "perhaps"),
        ("GATEWAY_DATABASE_URL", "mysql://db/sluice"),
        ("GATEWAY_TRANSLATOR_URL", "translator:8001"),
        ("GATEWAY_SEARCH_INDICES", "Devices"),
        ("GATEWAY_SEARCH_INDICES", "devices,../_all"),
        ("GATEWAY_SEARCH_INDICES", ","),
        ("GATEWAY_AUDIT_TIMEOUT", "0"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("GATEWAY_CORS_ORIGINS", "*"),
        ("GATEWAY_CORS_ORIGINS", "https://sluice.example/path"),
        ("GATEWAY_USER_RATE", "fast"),
        ("GATEWAY_ADDRESS_RATE", "0/minute"),
        ("GATEWAY_REDIS_URL", "http://127.0.0.1"),
        ("GATEWAY_SEARCH_TIMEOUT", "3600"),
        ("GATEWAY_TRANSLATOR_TIMEOUT", "soon"),
    ],
)
def test_a_bad_value_is_refused_by_the_variable_s_name(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        GatewaySettings.load()
