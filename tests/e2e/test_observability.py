"""Dashboards and alerts: Prometheus as it is deployed scrapes the running services, and what they name is there."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
import urllib3
import yaml
from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families

from local import ports
from local.services import Services
from tests.support import edge as nginx
from tests.support.edge import Edge
from tests.support.paths import ROOT
from tests.support.process import find_program, running
from tests.support.promql import named
from tests.support.waiting import eventually, wait_until_up

DEPLOY = ROOT / "deploy"
PATIENCE_SECONDS = 30
_OF_PROMETHEUS = {"up": {"job", "instance", "side"}, "ALERTS": {"alertname", "alertstate"}}
"""Names that it keeps of its own."""

Ask = Callable[..., Any]


def _dashboards() -> dict[str, Any]:
    return {path.name: json.loads(path.read_text()) for path in (DEPLOY / "grafana/dashboards").glob("*.json")}


def _panels() -> Iterator[tuple[str, str, str]]:
    """Every query of Prometheus' of every panel: where it is, the expression and what names its lines."""
    for name, dashboard in _dashboards().items():
        for panel in dashboard["panels"]:
            # Statements of SQL are run by the tests of the lake's marts.
            for target in panel["targets"] if panel["datasource"]["type"] == "prometheus" else ():
                yield f"{name}: {panel['title']}", target["expr"], target["legendFormat"]


def _alerts() -> Iterator[tuple[str, str, str]]:
    """The same of every alert."""
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"], " ".join(rule["annotations"].values())


def _metrics_urls(services: Services) -> list[str]:
    metrics_ports = (
        services.audit_sink_metrics_port,
        services.inventory_index_metrics_port,
        services.worker_metrics_port,
        services.live_metrics_port,
        services.lake_metrics_port,
    )
    own = [f"http://127.0.0.1:{port}" for port in metrics_ports]
    return [f"{url}/metrics" for url in (services.gateway_url, services.translator_url, *own)]


def _exposed(urls: list[str]) -> dict[str, set[str]]:
    """The metrics that these expose: the labels of each sample, by its name."""
    exposed: dict[str, set[str]] = {}
    for url in urls:
        for family in text_string_to_metric_families(urllib3.request("GET", url).data.decode()):
            for sample in family.samples:
                exposed.setdefault(sample.name, set()).update(sample.labels)
    return exposed


@pytest.fixture(scope="module")
def edge(busy: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """nginx in front of the gateway, with a certificate of a day."""
    gateway = f"127.0.0.1:{busy.gateway_port}"
    with nginx.serving(tmp_path_factory.mktemp("edge"), [gateway, gateway]) as serving:
        yield serving


@pytest.fixture(scope="module")
def exporter(edge: Edge) -> Iterator[str]:
    """The address of a blackbox exporter."""
    del edge
    address = f"127.0.0.1:{ports.free(1)[0]}"
    options = (f"--config.file={DEPLOY}/blackbox.yml", f"--web.listen-address={address}", "--log.level=error")
    with running(find_program("prometheus-blackbox-exporter"), *options):
        wait_until_up(f"http://{address}/-/healthy")
        yield address


@pytest.fixture(scope="module")
def exposed(busy: Services) -> dict[str, set[str]]:
    """The labels of the services' metrics, with those that Prometheus adds to what it scrapes."""
    return _as_scraped(_metrics_urls(busy)) | _OF_PROMETHEUS


@pytest.fixture(scope="module")
def probed(edge: Edge, exporter: str) -> dict[str, set[str]]:
    """The same of the exporter's."""
    return _as_scraped([f"http://{exporter}/probe?module=edge&target={edge.url}/healthz"])


def _as_scraped(urls: list[str]) -> dict[str, set[str]]:
    return {name: labels | {"job", "instance"} for name, labels in _exposed(urls).items()}


@pytest.fixture(scope="module")
def busy(services: Services) -> Services:
    """Services on which everything has happened that makes a labelled series."""

    def search(query: str) -> None:
        headers = {"Authorization": "Octoxlabs b2N0b0FkbWlu"}
        urllib3.request("POST", f"{services.gateway_url}/search", json={"query": query}, headers=headers)

    def block_trail(blocked: bool) -> bool:
        url = f"{services.servers.elasticsearch.url}/query-logs-*/_settings?allow_no_indices=false"
        return urllib3.request("PUT", url, json={"index.blocks.write": blocked}).status == 200

    search("")
    search("Hostname =")
    guess = {"username": "octoAdmin", "password": "a wrong password"}
    urllib3.request("POST", f"{services.gateway_url}/auth/token", json=guess)
    headers = {"Authorization": "Octoxlabs b2N0b09wZXJhdG9y"}
    product = {"sku": "busy", "name": "Hammer"}
    urllib3.request("PUT", f"{services.gateway_url}/inventory/product/busy", json=product, headers=headers)
    urllib3.request("GET", f"{services.gateway_url}/nowhere")
    producer = Producer({"bootstrap.servers": services.servers.kafka.bootstrap_servers})
    producer.produce("query-events", b"no JSON")
    assert producer.flush(PATIENCE_SECONDS) == 0
    eventually(lambda: "indexing_dead_letters_total" in _exposed(_metrics_urls(services)), "a dead letter is counted")
    eventually(lambda: "lake_rejected_total" in _exposed(_metrics_urls(services)), "a rejected record is counted")
    # As soon as there is an index.
    eventually(lambda: block_trail(True), "the index is blocked")
    try:
        search("")
        eventually(lambda: "indexing_bulk_retries_total" in _exposed(_metrics_urls(services)), "a retry is counted")
    finally:
        assert block_trail(False)
    return services


@pytest.fixture(scope="module")
def ask(busy: Services, edge: Edge, exporter: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks a Prometheus that has scraped them twice, by a path of its API and parameters."""
    home = tmp_path_factory.mktemp("prometheus")
    shutil.copy(DEPLOY / "prometheus/alerts.yml", home)
    port, nobody = ports.free(2)
    configuration = (DEPLOY / "prometheus/prometheus.yml").read_text()
    for old, new in {
        "command-gateway:8000": f"127.0.0.1:{busy.gateway_port}",
        "query-gateway-1:8000": f"127.0.0.1:{busy.gateway_port}",
        "query-gateway-2:8000": f"127.0.0.1:{nobody}",
        "translator:8001": f"127.0.0.1:{busy.translator_port}",
        "audit-sink-1:9108": f"127.0.0.1:{busy.audit_sink_metrics_port}",
        "audit-sink-2:9108": f"127.0.0.1:{nobody}",
        "worker-1:9110": f"127.0.0.1:{busy.worker_metrics_port}",
        "worker-2:9110": f"127.0.0.1:{nobody}",
        "live:9111": f"127.0.0.1:{busy.live_metrics_port}",
        "inventory-index:9109": f"127.0.0.1:{busy.inventory_index_metrics_port}",
        "lake:9112": f"127.0.0.1:{busy.lake_metrics_port}",
        "blackbox:9115": exporter,
        "edge:8443": f"127.0.0.1:{edge.port}",
        "elasticsearch:9200": f"127.0.0.1:{edge.port}",
        "kafka:9092": f"127.0.0.1:{nobody}",
        "interval: 15s": "interval: 1s",
        "timeout: 10s": "timeout: 1s",
    }.items():
        assert old in configuration
        configuration = configuration.replace(old, new)
    (home / "prometheus.yml").write_text(configuration)
    options = [f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data"]
    options += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]

    def get(path: str, **parameters: str) -> Any:
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/api/v1/{path}", fields=parameters).json()
        assert answer["status"] == "success", (parameters, answer)
        return answer["data"]

    def has_scraped_all_twice() -> bool:
        return len(get("query", query="count_over_time(up[1h]) > 1")["result"]) == 14

    with running(find_program("prometheus"), *options):
        wait_until_up(f"http://127.0.0.1:{port}/-/ready")
        eventually(has_scraped_all_twice, "everything is scraped twice")
        yield get


@pytest.mark.parametrize(("place", "expression", "text"), [*_panels(), *_alerts()])
def test_every_metric_that_a_dashboard_or_an_alert_names_is_exposed(
    place: str, expression: str, text: str, exposed: dict[str, set[str]], request: pytest.FixtureRequest
) -> None:
    found = named(expression)
    if any(metric.startswith("probe_") for metric in found.metrics):
        # Where the exporter is not installed, the rest is looked at all the same.
        exposed = exposed | request.getfixturevalue("probed")
    assert found.metrics, place
    for metric, matched in found.metrics.items():
        assert metric in exposed, f"{place}: nobody exposes {metric}"
        named_labels = matched | found.grouping | set(re.findall(r"{{ *(?:\$labels\.)?(\w+) *}}", text))
        assert named_labels <= exposed[metric], f"{place}: {metric} has not all of {named_labels}"


@pytest.mark.parametrize(("place", "expression", "legend"), [*_panels()])
def test_every_panel_shows_something(place: str, expression: str, legend: str, ask: Ask) -> None:
    result = ask("query", query=expression.replace("$__rate_interval", "1m"))["result"]
    assert result, place
    for label in re.findall(r"{{(\w+)}}", legend):
        assert all(label in series["metric"] for series in result), place


def test_every_alert_can_be_told_and_a_gateway_that_is_away_is(ask: Ask) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in ask("rules")["groups"] for rule in group["rules"]]

    assert sorted(rule["name"] for rule in rules()) == sorted(name for name, _, _ in _alerts())
    eventually(lambda: all(rule["health"] == "ok" for rule in rules()), "every rule is evaluated")
    eventually(
        lambda: {rule["name"] for rule in rules() if rule["state"] == "pending"} >= {"GatewayDown"}, "GatewayDown pends"
    )
    (alert,) = next(rule for rule in rules() if rule["name"] == "GatewayDown")["alerts"]
    assert alert["annotations"]["summary"] == f"The gateway {alert['labels']['instance']} does not answer"


def test_the_edge_is_seen_to_answer_and_its_certificate_to_end(ask: Ask, edge: Edge) -> None:
    def probed(metric: str) -> dict[str, float]:
        return {each["metric"]["instance"]: float(each["value"][1]) for each in ask("query", query=metric)["result"]}

    url, port = f"{edge.url}/healthz", f"127.0.0.1:{edge.port}"
    assert set(probed("probe_success == 1")) == {url, port}
    assert len(probed("probe_success == 0")) == 1
    left = probed("probe_ssl_earliest_cert_expiry - time()")
    assert left == {url: pytest.approx(86_400, abs=600), port: pytest.approx(86_400, abs=600)}
    eventually(lambda: len(ask("query", query='ALERTS{alertname="CertificateEnds"}')["result"]) == 2, "two alerts")


def test_every_dashboard_is_one_that_grafana_can_be_given() -> None:
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/dashboards.yml").read_text())["providers"]
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/datasources.yml").read_text())["datasources"]
    known = {(source["type"], source["uid"]) for source in sources}
    dashboards = _dashboards()
    assert provider["type"] == "file"
    assert len({dashboard["uid"] for dashboard in dashboards.values()}) == len(dashboards) == 8
    for dashboard in dashboards.values():
        panels = dashboard["panels"]
        assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
        for holder in chain(panels, *(panel["targets"] for panel in panels)):
            assert (holder["datasource"]["type"], holder["datasource"]["uid"]) in known


def test_spans_go_from_the_collector_to_the_trace_store() -> None:
    collector = yaml.safe_load((DEPLOY / "otel-collector.yml").read_text())
    tempo = yaml.safe_load((DEPLOY / "tempo.yml").read_text())
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in collector["service"]["pipelines"].values() for name in pipeline[kind]}
        assert used == collector[kind].keys()
    port = tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].rpartition(":")[2]
    assert collector["exporters"]["otlp"]["endpoint"] == f"tempo:{port}"
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/datasources.yml").read_text())["datasources"]
    assert f"http://tempo:{tempo['server']['http_listen_port']}" in {source["url"] for source in sources}
