"""The documentation names every setting with its default, every error code, every metric, every decision, and tests
that exist."""

import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from gateway.audit import metrics as audit_metrics
from gateway.cli.settings import CallerSettings
from gateway.http import metrics as http_metrics
from gateway.http.problems import Code
from gateway.identity import metrics as identity_metrics
from gateway.inventory import metrics as inventory_metrics
from gateway.live import metrics as live_metrics
from gateway.notify import metrics as notify_metrics
from gateway.saved import metrics as saved_metrics
from gateway.serving import metrics as serving_metrics
from gateway.settings import GatewaySettings
from indexing import metrics as sink_metrics
from kit.settings import Settings
from lake import metrics as lake_metrics
from local.check_settings import SETTINGS
from local.settings import LocalSettings
from tests.support.paths import ROOT
from translator.metrics import Metrics

_DOCS = ROOT / "docs"

_SETTINGS: tuple[type[Settings], ...] = (*SETTINGS, GatewaySettings, CallerSettings, LocalSettings)


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
    modules = map(
        vars,
        (
            sink_metrics,
            audit_metrics,
            http_metrics,
            identity_metrics,
            inventory_metrics,
            notify_metrics,
            live_metrics,
            lake_metrics,
            saved_metrics,
            serving_metrics,
        ),
    )
    collectors = [value for names in modules for value in names.values() if isinstance(value, MetricWrapperBase)]
    found = [*Metrics().registry.collect(), *(metric for collector in collectors for metric in collector.collect())]
    assert {(name, row[0]) for name, row in _rows("metrics.md").items()} == {
        (metric.name, metric.type) for metric in found
    }


_HEAD = re.compile(r"# (\d+)\. (.+)\n\nStatus: (.+) · Date: (\d{4}-\d\d-\d\d) · Area: (.+)\n\n")
_DECISIONS = sorted((_DOCS / "adr").glob("[0-9]*.md"))


@pytest.mark.parametrize("path", _DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_a_head_a_context_a_decision_and_an_alternative(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    assert head
    assert int(head[1]) == int(path.name[:4])
    for part in ("**Context.**", "**Decision.**", "**Else.**"):
        assert f"\n{part} " in text, part


@pytest.mark.parametrize("path", _DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_accepted_or_names_the_one_that_supersedes_it(path: Path) -> None:
    head = _HEAD.match(path.read_text(encoding="utf-8"))
    assert head
    if head[3] != "accepted":
        superseding = re.search(r"superseded by \[(\d+)\]\((\d{4}-[\w-]+\.md)\)$", head[3])
        assert superseding
        assert int(superseding[1]) == int(superseding[2][:4])
        assert (path.parent / superseding[2]).exists()


def test_the_index_has_the_head_of_every_decision_in_order() -> None:
    heads = [(path.name, _HEAD.match(path.read_text(encoding="utf-8"))) for path in _DECISIONS]
    rows = [f"| [{head[1]}]({name}) | {head[2]} | {head[5]} | {head[3]} | {head[4]} |" for name, head in heads if head]
    index = (_DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    assert [line for line in index.splitlines() if line.startswith("| [")] == rows


def test_every_test_that_a_page_names_exists() -> None:
    pages = [*ROOT.glob("*.md"), *_DOCS.rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"`(tests/[^` ]+|test_\w+\.py)`", page.read_text("utf-8"))}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
