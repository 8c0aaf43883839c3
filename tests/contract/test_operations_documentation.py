"""The pages for operators name only alerts, metrics, settings, services and links that exist."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.compose import VARIABLE, compose
from tests.support.paths import ROOT

_RUNBOOK = "docs/operations/when-it-alarms.md"
_PAGES = (
    "docs/operations/first-day.md",
    "docs/operations/every-day.md",
    "docs/operations/personal-data.md",
    _RUNBOOK,
    "docs/scaling.md",
)
_LINKING = (
    *(path.name for path in ROOT.glob("*.md")),
    *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
)
_KAFKA_BYTES, _ELASTICSEARCH_BYTES = 1_041, 512
_CORE_MILLISECONDS = (1.264, 0.258, 0.534, 2 * 0.0207, 0.236, 0.0088)
"""Of gateway, translator, Elasticsearch searching and indexing two copies, Kafka and sink: docs/benchmarks.md."""
_SAMPLES = ("_total", "_bucket", "_count", "_sum")


def _read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _alerts() -> dict[str, Any]:
    groups = yaml.safe_load(_read("deploy/prometheus/alerts.yml"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def _rows() -> list[tuple[str, list[str]]]:
    """The rows of the runbook's tables of alerts: the anchor of the section, and the cells."""
    sections = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", _read(_RUNBOOK), re.MULTILINE | re.DOTALL)
    return [
        (heading.lower().replace(" ", "-"), [cell.strip() for cell in row.split(" | ")])
        for heading, section in sections
        if "| alert | urgency |" in section
        for row in re.findall(r"^\| ([A-Z][A-Za-z]+ \| .*) \|$", section, re.MULTILINE)
    ]


def _first_column(page: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", _read(page), re.MULTILINE))


def _anchors(page: str) -> set[str]:
    """The headings of a page as a forge makes anchors of them."""
    text = re.sub(r"^```.*?^```", "", _read(page), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_alert_has_one_row_and_every_row_an_alert() -> None:
    assert sorted(cells[0] for _, cells in _rows()) == sorted(_alerts())


def test_a_row_has_the_urgency_the_meaning_where_to_look_and_what_to_do() -> None:
    for _, (name, urgency, *texts) in _rows():
        assert urgency == _alerts()[name]["labels"]["severity"], name
        assert len(texts) == 3, name
        assert all(texts), name


def test_an_alert_leads_to_the_section_that_has_its_row() -> None:
    anchors = _anchors(_RUNBOOK)
    for section, (name, *_) in _rows():
        assert _alerts()[name]["annotations"]["runbook_url"] == f"{_RUNBOOK}#{section}"
        assert section in anchors


@pytest.mark.parametrize("page", _PAGES)
def test_every_metric_that_is_named_exists(page: str) -> None:
    named = set(re.findall(r"\b(?:gateway|translator|indexing)_[a-z_]+\b", _read(page)))
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
    code = "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", _read(page), re.MULTILINE | re.DOTALL))
    named = re.findall(rf"docker compose (?:exec|run|start|stop|ps|logs){options} ([a-z][a-z0-9-]*)", _read(page))
    named += [
        name for names in re.findall(r"\brestart(?:_each)?((?: [a-z][a-z0-9-]*)+)", code) for name in names.split()
    ]
    assert named
    assert set(named) <= compose()["services"].keys()


@pytest.mark.parametrize("page", _LINKING)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", _read(page)):
        path, _, anchor = target.partition("#")
        there = str(((ROOT / page).parent / path).resolve().relative_to(ROOT)) if path else page
        assert (ROOT / there).exists(), (page, target)
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
    for figure in (f"**{_KAFKA_BYTES:,} bytes**", f"**{_ELASTICSEARCH_BYTES} bytes**", "20.7 µs", "8.8 µs"):
        assert figure in page
