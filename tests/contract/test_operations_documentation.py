"""docs/operations.md and docs/scaling.md name what there is: alerts, metrics, settings, and places to read on."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.compose import VARIABLE, compose

_ROOT = Path(__file__).parents[2]
_OPERATIONS = (_ROOT / "docs/operations.md").read_text(encoding="utf-8")
_PAGES = ("docs/operations.md", "docs/scaling.md")
_LINKING = ("README.md", "SECURITY.md", *(str(path.relative_to(_ROOT)) for path in (_ROOT / "docs").glob("*.md")))
_KAFKA_BYTES, _ELASTICSEARCH_BYTES = 1_041, 512
_CORE_MILLISECONDS = (2.61, 0.32, 0.77, 2 * 0.0207, 0.29, 0.0093)
"""Of gateway, translator, Elasticsearch searching and indexing two copies, Kafka and sink: docs/benchmarks.md."""
_SAMPLES = ("_total", "_bucket", "_count", "_sum")


def _read(page: str) -> str:
    return (_ROOT / page).read_text(encoding="utf-8")


def _alerts() -> dict[str, Any]:
    groups = yaml.safe_load(_read("deploy/prometheus/alerts.yml"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def _sections() -> dict[str, str]:
    """The sections about alerts by their headings, in their order."""
    part = re.split(r"^## ", _OPERATIONS, flags=re.MULTILINE)
    alerts = next(each for each in part if each.startswith("Alerts\n"))
    return dict(re.findall(r"^### (\w+)\n\n(.*?)(?=^### |\Z)", alerts, re.MULTILINE | re.DOTALL))


def _first_column(page: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", _read(page), re.MULTILINE))


def _anchors(page: str) -> set[str]:
    """The headings of a page as a forge makes anchors of them."""
    text = re.sub(r"^```.*?^```", "", _read(page), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_alert_has_a_section_and_every_section_an_alert_in_the_same_order() -> None:
    assert [*_sections()] == [*_alerts()]


def test_a_section_says_how_urgent_it_is_and_what_to_do() -> None:
    alerts = _alerts()
    for name, section in _sections().items():
        assert section.startswith(f"{alerts[name]['labels']['severity']}. "), name
        for part in ("- Look", "o: " if "Look and do" in section else "- Do: ", "- Wake"):
            assert part in section, (name, part)


def test_an_alert_leads_to_its_section() -> None:
    anchors = _anchors("docs/operations.md")
    for name, alert in _alerts().items():
        page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert page.endswith("docs/operations.md"), name
        assert anchor == name.lower()
        assert anchor in anchors


@pytest.mark.parametrize("page", _PAGES)
def test_every_metric_that_is_named_exists(page: str) -> None:
    named = set(re.findall(r"\b(?:gateway|translator|audit_sink)_[a-z_]+\b", _read(page)))
    named = {name for name in named if f"{name}." not in _read(page)} - {"translator_unavailable"}
    metrics = _first_column("docs/metrics.md")
    unknown = {name for name in named if not {name, *(name.removesuffix(end) for end in _SAMPLES)} & metrics}
    assert not unknown


@pytest.mark.parametrize("page", _PAGES)
def test_every_setting_that_is_named_exists(page: str) -> None:
    prefixes = "GATEWAY|KAFKA|ELASTICSEARCH|AUDIT|TRANSLATOR|LOCAL|OTEL"
    named = set(re.findall(rf"\b(?:{prefixes})_[A-Z_]+[A-Z]\b", _read(page)))
    of_the_deployment = {found["name"] for found in VARIABLE.finditer(_read("docker-compose.yml"))}
    assert {name.removesuffix("_FILE") for name in named - of_the_deployment} <= _first_column("docs/settings.md")


@pytest.mark.parametrize("page", _PAGES)
def test_every_block_for_a_shell_is_one(page: str) -> None:
    for block in re.findall(r"^```(?:ba)?sh\n(.*?)^```", _read(page), re.MULTILINE | re.DOTALL):
        checked = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, (block, checked.stderr)


@pytest.mark.parametrize("page", _PAGES)
def test_every_container_that_is_named_is_a_service(page: str) -> None:
    options = r"(?: (?:--entrypoint|-e) \S+| -\S+)*"
    named = re.findall(rf"docker compose (?:exec|run|start|stop|ps|logs){options} ([a-z][a-z0-9-]*)", _read(page))
    assert named
    assert set(named) <= compose()["services"].keys()


@pytest.mark.parametrize("page", _LINKING)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", _read(page)):
        path, _, anchor = target.partition("#")
        there = str(((_ROOT / page).parent / path).resolve().relative_to(_ROOT)) if path else page
        assert (_ROOT / there).exists(), (page, target)
        assert not anchor or anchor in _anchors(there), (page, target)


def test_the_volumes_and_processors_follow_from_the_measured_figures() -> None:
    page = _read("docs/scaling.md")
    rows = [
        [float(re.sub(r"[^\d.]", "", cell)) for cell in row.strip("|").split("|")]
        for row in re.findall(r"^\| 1,?0+,?0* \|.*\|$|^\| 10+,000(?:,000)? \|.*\|$", page, re.MULTILINE)
    ]
    volumes, processors = rows[:4], rows[4:8]
    assert [row[0] for row in volumes] == [row[0] for row in processors] == [1e3, 1e4, 1e5, 1e6]
    for row in volumes:
        a_second = row[0] / 60
        events = a_second * 86_400
        kafka, elasticsearch = events * _KAFKA_BYTES, events * _ELASTICSEARCH_BYTES
        whole = (events / 1e6, kafka / 1e9, elasticsearch / 1e9)
        kept = elasticsearch * 400 * 2 / 1e12
        # Elasticsearch fills a disk to 85 %.
        disks = (kafka * 14 * 3 / 1e12, kept, kept / 0.85)
        assert row[1:] == pytest.approx([a_second, *whole, *disks], rel=0.01, abs=0.05)
    for row in processors:
        busy = [row[0] / 60 * milliseconds / 1000 for milliseconds in _CORE_MILLISECONDS]
        assert row[1:] == pytest.approx(busy, abs=0.01)
    for figure in (f"**{_KAFKA_BYTES:,} bytes**", f"**{_ELASTICSEARCH_BYTES} bytes**", "20.7 µs", "9.3 µs"):
        assert figure in page
