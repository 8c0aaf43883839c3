"""The documentation names every setting with its default, every error code, every metric, and every decision."""

import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from audit_sink.settings import SinkSettings
from contracts.query_event.topics import TopicSettings
from elastic.settings import ElasticsearchSettings
from gateway.cli.settings import CallerSettings
from gateway.http import metrics as gateway_metrics
from gateway.http.problems import Code
from gateway.settings import GatewaySettings
from indexing import metrics as sink_metrics
from kit.kafka import KafkaSettings
from kit.settings import Settings, TracingSettings
from local.settings import LocalSettings
from translator.metrics import Metrics
from translator.settings import TranslatorSettings

_DOCS = Path(__file__).parents[2] / "docs"

_SETTINGS: tuple[type[Settings], ...] = (
    ElasticsearchSettings,
    TracingSettings,
    KafkaSettings,
    TopicSettings,
    GatewaySettings,
    CallerSettings,
    TranslatorSettings,
    SinkSettings,
    LocalSettings,
)


def _rows(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables by the code in their first column: the other columns."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", (_DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) == len(dict(found)), "a row stands twice"
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in found}


def _written(default: object) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, tuple):
        default = ",".join(default)
    if isinstance(default, bool):
        default = str(default).lower()
    return f"`{default}`"


def _defaults(settings: type[Settings]) -> dict[str, str]:
    prefix = settings.model_config["env_prefix"]
    return {
        f"{prefix}{name}".upper(): "" if "Secret" in str(field.annotation) else _written(field.default)
        for name, field in settings.model_fields.items()
    }


@pytest.mark.parametrize("settings", _SETTINGS)
def test_every_setting_is_documented_with_its_default_and_meaning(settings: type[Settings]) -> None:
    rows = _rows("settings.md")
    for variable, default in _defaults(settings).items():
        assert rows[variable][0] == default, variable
        assert rows[variable][1], variable


def test_no_documented_setting_is_unknown() -> None:
    assert set(_rows("settings.md")) == {variable for settings in _SETTINGS for variable in _defaults(settings)}


def test_every_error_code_is_documented() -> None:
    assert set(_rows("errors.md")) == {code.value for code in Code}


def test_every_metric_is_documented_with_its_type() -> None:
    modules = (vars(sink_metrics), vars(gateway_metrics))
    collectors = [value for names in modules for value in names.values() if isinstance(value, MetricWrapperBase)]
    found = [*Metrics().registry.collect(), *(metric for collector in collectors for metric in collector.collect())]
    assert {(name, row[0]) for name, row in _rows("metrics.md").items()} == {
        (metric.name, metric.type) for metric in found
    }


def test_every_decision_has_a_context_a_decision_and_an_alternative() -> None:
    decisions = sorted((_DOCS / "adr").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        for part in ("**Context.**", "**Decision.**", "**Else.**"):
            assert part in text, f"{path.name} lacks {part}"
