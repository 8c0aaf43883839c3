"""Settings come from the environment, secrets may come from files, and what is wrong is named."""

from pathlib import Path

import pytest

from elastic.settings import ElasticsearchSettings
from kit.settings import ConfigurationError


def test_without_any_variable_the_local_server_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELASTICSEARCH_URL", raising=False)
    assert ElasticsearchSettings.load().url == "http://127.0.0.1:9200"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "")
    assert ElasticsearchSettings.load().url == "http://127.0.0.1:9200"


def test_a_secret_is_read_from_the_file_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("s3cret\n", encoding="utf-8")
    monkeypatch.setenv("ELASTICSEARCH_API_KEY_FILE", str(secret))
    api_key = ElasticsearchSettings.load().api_key
    assert api_key is not None
    assert api_key.get_secret_value() == "s3cret"


def test_an_empty_file_counts_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("\n", encoding="utf-8")
    monkeypatch.setenv("ELASTICSEARCH_API_KEY_FILE", str(secret))
    assert ElasticsearchSettings.load().api_key is None


def test_the_variable_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("from the file", encoding="utf-8")
    monkeypatch.setenv("ELASTICSEARCH_API_KEY_FILE", str(secret))
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", "from the variable")
    api_key = ElasticsearchSettings.load().api_key
    assert api_key is not None
    assert api_key.get_secret_value() == "from the variable"


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ELASTICSEARCH_API_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(ConfigurationError, match=r"ELASTICSEARCH_API_KEY_FILE: .*missing cannot be read"):
        ElasticsearchSettings.load()


def test_only_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address = tmp_path / "url"
    address.write_text("http://elsewhere:9200", encoding="utf-8")
    monkeypatch.setenv("ELASTICSEARCH_URL_FILE", str(address))
    assert ElasticsearchSettings.load().url == "http://127.0.0.1:9200"


@pytest.mark.parametrize("url", ["ftp://host", "host:9200", "http://", "http://[::1", "no url"])
def test_a_bad_url_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", url)
    with pytest.raises(ConfigurationError, match="^ELASTICSEARCH_URL: "):
        ElasticsearchSettings.load()


def test_a_user_name_wants_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_USERNAME", "sink")
    with pytest.raises(ConfigurationError, match="ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD go together"):
        ElasticsearchSettings.load()


def test_two_kinds_of_credentials_are_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_USERNAME", "sink")
    monkeypatch.setenv("ELASTICSEARCH_PASSWORD", "s3cret")
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", "k3y")
    with pytest.raises(ConfigurationError, match="not both") as refusal:
        ElasticsearchSettings.load()
    assert "s3cret" not in str(refusal.value)
    assert "k3y" not in str(refusal.value)
