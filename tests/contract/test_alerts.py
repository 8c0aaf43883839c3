"""The alerts: when they fire (``tests/data/alerts.yml``), and what they say."""

import subprocess
from typing import Any

import pytest
import yaml

from tests.support.paths import DATA, ROOT
from tests.support.process import find_program

PROMETHEUS = ROOT / "deploy" / "prometheus"


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize(
    "arguments", [["check", "config", PROMETHEUS / "prometheus.yml"], ["test", "rules", DATA / "alerts.yml"]]
)
def test_prometheus_own_tool_finds_nothing_wrong(arguments: list[str]) -> None:
    done = subprocess.run([find_program("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_what_happened_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"].startswith("docs/operations/when-it-alarms.md#")


def test_every_alert_is_seen_to_fire() -> None:
    told = (DATA / "alerts.yml").read_text(encoding="utf-8")
    assert [rule["alert"] for rule in _rules() if f'alertname="{rule["alert"]}"' not in told] == []
