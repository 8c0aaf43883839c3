"""The settings of one's own that `make run` takes, and what it says of those that cannot be."""

from pathlib import Path

import pytest

from kit.settings import ConfigurationError
from local.elasticsearch import Elasticsearch
from local.kafka import Kafka
from local.servers import Servers
from local.services import Services
from local.settings_file import SettingsFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "settings.env"


def _services(home: Path, own: SettingsFile) -> Services:
    servers = Servers(Kafka(home, [], 1, 2), Elasticsearch(home, [], 3, 4))
    return Services(home, servers, 5, 6, 7, 8, 9, 10, 11, 12, 13, own.values)


def _checked(path: Path, text: str) -> Services:
    path.write_text(text, encoding="utf-8")
    own = SettingsFile.read(path)
    services = _services(path.parent, own)
    own.check(services.fixed())
    return services


def test_without_a_file_nothing_is_set(path: Path) -> None:
    own = SettingsFile.read(path)
    own.check({})
    assert own.values == {}


def test_settings_reach_the_services_and_go_before_the_stacks_own(path: Path) -> None:
    environment = _checked(
        path,
        "# of my own\n\nGATEWAY_SEARCH_INDICES=devices,assets\n  GATEWAY_USER_RATE = '5/minute'  # slow\n"
        'export OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318"\nOTEL_BSP_MAX_QUEUE_SIZE=10\n'
        "ELASTICSEARCH_CA_CERTS=\n",
    ).environment()
    assert environment["GATEWAY_SEARCH_INDICES"] == "devices,assets"
    assert environment["GATEWAY_USER_RATE"] == "5/minute"
    assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
    assert environment["GATEWAY_PORT"] == "5"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("GATEWAY_USER_RATE=fast", "GATEWAY_USER_RATE: String should match pattern"),
        ("GATEWAY_USERRATE=5/minute", "GATEWAY_USERRATE: unknown setting; did you mean GATEWAY_USER_RATE?"),
        ("AUDIT_SINK_BATCH_SIZE=none", "AUDIT_SINK_BATCH_SIZE: Input should be a valid integer"),
        ("TRANSLATOR_REFRESH_SECONDS=-1", "TRANSLATOR_REFRESH_SECONDS: Input should be greater than"),
        ("OTEL_TRACES_SAMPLER=some", "OTEL_TRACES_SAMPLER: Input should be"),
        ("PATH=/tmp", "PATH: unknown setting; docs/settings.md has all of them"),
        ("GATEWAY_PORT=9000", "GATEWAY_PORT: is set by the stack itself; folder and ports are LOCAL_HOME and"),
        ("GATEWAY_SECRET_KEY=hush", "GATEWAY_SECRET_KEY: is set by the stack itself"),
        ("GATEWAY_JWT_KEYS=hush", "GATEWAY_JWT_KEYS: is set by the stack itself"),
        ("LOCAL_GATEWAY_PORT=9000", "LOCAL_GATEWAY_PORT: is taken from the environment of make alone"),
        ("GATEWAY_REDIS_URL=hush", "GATEWAY_REDIS_URL: must be a URL such as"),
        ("GATEWAY_REDIS_URL_FILE=/missing", "GATEWAY_REDIS_URL_FILE: /missing cannot be read (FileNotFoundError)"),
        ("just words", "must be NAME=value, or a comment after #"),
        ("GATEWAY_WORKERS", "must be NAME=value, or a comment after #"),
        ("GATEWAY_QUEUE=1", "GATEWAY_QUEUE is set in line 1 already"),
    ],
)
def test_an_invalid_setting_is_named_with_file_line_and_name_and_never_its_value(
    path: Path, line: str, complaint: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _checked(path, f"GATEWAY_QUEUE=5\n\n# next\n{line}\nGATEWAY_THREADS=3\n")
    assert str(refused.value).startswith(f"{path}, line 4: {complaint}")
    assert "hush" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    path.write_bytes(b"GATEWAY_QUEUE=\xff\n")
    with pytest.raises(ConfigurationError, match=r"settings\.env: cannot be read \(UnicodeDecodeError\)"):
        SettingsFile.read(path)
