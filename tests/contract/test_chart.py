"""The chart for Kubernetes, without a cluster: what helm makes of it, held to the schemas of those who take it, to
docker-compose.yml, and to the settings of the services."""

import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import Phase, given, settings

from audit_sink.settings import SinkSettings
from contracts.inventory_change.topics import InventoryTopicSettings
from contracts.query_event.topics import TopicSettings
from deploy.first_start import readers
from deploy.first_start.command_line import main
from elastic.settings import ElasticsearchSettings
from gateway.settings import GatewaySettings
from inventory_index.settings import IndexerSettings
from kit.kafka import KafkaSettings
from kit.settings import Settings, TracingSettings
from lake.marts.settings import MartSettings
from lake.serve.settings import ServeSettings
from tests.support import chart, edge
from tests.support.chart import Object
from tests.support.compose import compose
from tests.support.paths import ROOT
from tests.support.process import find_program
from translator.settings import TranslatorSettings

_SCHEMA = orjson.loads((chart.CHART / "values.schema.json").read_bytes())

_KAFKA = (KafkaSettings, TopicSettings)
_SETTINGS: dict[str, tuple[type[Settings], ...]] = {
    "command-gateway": (GatewaySettings, TracingSettings, *_KAFKA),
    "query-gateway": (GatewaySettings, TracingSettings, *_KAFKA, ElasticsearchSettings),
    "translator": (TranslatorSettings, TracingSettings, ElasticsearchSettings),
    "worker": (GatewaySettings, TracingSettings, *_KAFKA, ElasticsearchSettings),
    "live": (GatewaySettings, TracingSettings, *_KAFKA),
    "audit-sink": (SinkSettings, TracingSettings, *_KAFKA, ElasticsearchSettings),
    "inventory-index": (IndexerSettings, TracingSettings, KafkaSettings, ElasticsearchSettings),
    "lake": (ServeSettings, *_KAFKA, ElasticsearchSettings),
    "bootstrap": (GatewaySettings, *_KAFKA, ElasticsearchSettings),
}
_SERVERS = {"9093": "kafka", "9200": "elasticsearch", "5432": "postgres", "6379": "redis"}

everywhere = pytest.mark.parametrize("example", chart.EXAMPLES)


def _named(made: list[Object], kind: str) -> dict[str, Object]:
    return {each["metadata"]["name"].removeprefix("sluice-"): each for each in made if each["kind"] == kind}


@everywhere
def test_helm_finds_nothing_wrong(example: str) -> None:
    done = chart.run_helm(chart.helm(), "lint", "--strict", chart.CHART, "--values", chart.values(example))
    assert (done.returncode, "0 chart(s) failed" in done.stdout) == (0, True), done.stdout


@everywhere
def test_it_makes_what_the_files_say_and_make_charts_writes_them(example: str) -> None:
    expected = (chart.RENDERED / f"{example}.yaml").read_text(encoding="utf-8")
    assert chart.golden(chart.rendered(example)) == expected, "if that is meant: make charts"


@everywhere
def test_kubernetes_takes_every_object(example: str) -> None:
    assert chart.faults(chart.rendered(example)) == []


def test_what_kubernetes_would_not_take_is_found() -> None:
    wrong = orjson.loads(orjson.dumps(_named(chart.rendered("least"), "Deployment")["edge"]))
    wrong["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] = "8443"
    wrong["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    assert len(chart.faults([wrong])) == 2


@pytest.mark.node
def test_keda_and_the_prometheus_operator_take_theirs() -> None:
    find_program("npm")
    node = find_program("node")
    subprocess.run(["make", "--silent", "build/chart-schemas/made.stamp"], cwd=ROOT, check=True)
    theirs = [each for each in chart.rendered("everything") if each["apiVersion"] in chart.OPERATORS]
    assert {each["kind"] for each in theirs} == {
        "ScaledObject",
        "TriggerAuthentication",
        "ServiceMonitor",
        "PrometheusRule",
    }
    done = subprocess.run(
        [node, ROOT / "build" / "chart-schemas" / "check.mjs"],
        input=orjson.dumps(theirs),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, int(done.stdout or 0)) == (0, len(theirs)), done.stderr.decode()


def _that_go_together(value: Any) -> Any:
    """Values as they were drawn, but for what a template or an ``if`` of the schema would refuse."""
    for part in value.values():
        if isinstance(part, dict) and "autoscaling" in part:
            part["replicas"] = part["autoscaling"]["maxReplicas"] = 1
    if "lake" in value:
        value["lake"] |= {"url": value["lake"]["url"] or "s3://bucket", "claim": "lake"}
        value["lake"]["s3"]["accessKeyId"] = "sluice"
    return value


_WITHOUT_DEFAULTS = ["image", "host", "podNetworks", "kafka", "elasticsearch"]


# A failing example would be made smaller for minutes: each try is a run of helm.
@settings(max_examples=8, phases=[Phase.generate])
@given(value=chart.of_schema({**_SCHEMA, "required": _WITHOUT_DEFAULTS}, _SCHEMA).map(_that_go_together))
def test_values_that_the_schema_takes_make_objects_that_kubernetes_takes(value: Any) -> None:
    done = chart.template_of(value)
    assert done.returncode == 0, done.stderr
    assert chart.faults(chart.objects(done.stdout)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("replica=3", "additional properties 'replica' not allowed"),
        ("queryGateway.replica=3", "at '/queryGateway': additional properties 'replica' not allowed"),
        ("queryGateway.replicas=0", "at '/queryGateway/replicas'"),
        ("elasticsearch.url=http://elasticsearch:9200", "at '/elasticsearch/url'"),
        ("lake.enabled=true", "at '/lake/url'"),
        ("lake.enabled=true,lake.url=/var/lib/sluice/lake", "at '/lake/claim'"),
        ("lake.enabled=true,lake.url=s3://lake", "at '/lake/s3/accessKeyId'"),
        ("auditSink.autoscaling.enabled=true,auditSink.autoscaling.maxReplicas=7", "query-events has 6 partitions"),
        ("translator.replicas=9,translator.autoscaling.enabled=true", "maxReplicas is 4, and less than replicas, 9"),
    ],
)
def test_values_that_cannot_be_meant_are_refused_with_their_place(changed: str, said: str) -> None:
    done = chart.template(chart.helm(), "--values", chart.values("least"), "--set", changed)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_what_has_no_default_must_be_given() -> None:
    done = chart.template(chart.helm())
    assert done.returncode == 1
    places = set(re.findall(r"at '([^']*)'", done.stderr))
    assert places == {"/image/repository", "/host", "/podNetworks", "/kafka/bootstrapServers", "/elasticsearch/url"}


@everywhere
def test_every_pod_is_restricted_and_has_limits(example: str) -> None:
    found = dict(chart.pods(chart.rendered(example)))
    assert len(found) >= 9
    for name, pod in found.items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod), name
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume], name
        for volume in pod["volumes"]:
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""}), name
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert {"cpu", "memory"} <= set(container["resources"]["limits"]), name
        assert container["resources"]["requests"], name


@everywhere
def test_no_secret_is_made_and_each_pod_mounts_its_own_alone(example: str) -> None:
    made = chart.rendered(example)
    assert not _named(made, "Secret")
    for name, pod in chart.pods(made):
        mounted = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        own = re.sub(r"^sluice-lake-\w+$", "sluice-lake", name)
        assert mounted == {own} | (
            {f"sluice-passwords-{each}" for each in ("elasticsearch", "kafka", "postgres")}
            if own == "sluice-bootstrap"
            else set()
        )


def _environment(made: list[Object], component: str) -> dict[str, str]:
    if component == "bootstrap":
        (container,) = _named(made, "Job")["bootstrap"]["spec"]["template"]["spec"]["containers"]
        return {each["name"]: each["value"] for each in container["env"]}
    data: dict[str, str] = _named(made, "ConfigMap")[component]["data"]
    return data


def _known(kinds: tuple[type[Settings], ...]) -> set[str]:
    return {f"{kind.model_config.get('env_prefix', '')}{name}".upper() for kind in kinds for name in kind.model_fields}


@pytest.mark.parametrize("component", _SETTINGS)
def test_every_setting_that_a_component_is_given_is_one_of_its_own(component: str) -> None:
    given = _environment(chart.rendered("everything"), component)
    assert not {name.removesuffix("_FILE") for name in given} - _known(_SETTINGS[component])


_DIFFERENT = re.compile(r"_(HOST|PORT|URL|HOSTS|PROXIES|SERVERS|WORKERS|MAIL_FROM|SASL_MECHANISM)$|^OTEL_|^HEALTH_URL$")
"""Variables whose values are other names and addresses in a cluster."""


@pytest.mark.parametrize("component", _SETTINGS)
def test_a_component_is_given_what_the_compose_file_gives_it(component: str) -> None:
    services = compose()["services"]
    service = services.get(component) or services[f"{component}-1"]
    expected = {name: str(value) for name, value in service["environment"].items()}
    given = _environment(chart.rendered("everything"), component)
    ours = {
        name: value
        for name, value in given.items()
        if not name.startswith(("OTEL_", "LAKE_S3_", "LAKE_LINEAGE_", "GATEWAY_SEARCH_"))
    }
    assert set(ours) == {name for name in expected if not re.match("OTEL_|HEALTH_URL$", name)} | {
        "KAFKA_SASL_MECHANISM"
    } & {*ours}
    for name, value in ours.items():
        if not _DIFFERENT.search(name):
            assert value == expected[name], name


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the first start makes, with a folder of files for each component."""
    folder = tmp_path_factory.mktemp("secrets")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(readers, "OWNERS", dict.fromkeys(readers.OWNERS, folder.stat().st_uid))
        assert main([str(folder)]) == 0
    (folder / "lake" / "s3-secret-access-key").write_text("the bucket's", encoding="utf-8")
    return folder


@pytest.mark.parametrize("component", _SETTINGS)
def test_a_component_starts_with_its_settings_and_the_secrets_of_the_first_start(
    component: str, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*os.environ]:
        if name.startswith(("GATEWAY_", "OTEL_")):
            monkeypatch.delenv(name)
    for name, value in _environment(chart.rendered("everything"), component).items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(secrets / component)))
    for kind in _SETTINGS[component]:
        kind.load()


def test_the_page_lists_the_files_of_each_secret() -> None:
    page = (ROOT / "docs" / "operations" / "kubernetes.md").read_text(encoding="utf-8")
    made = chart.rendered("everything")
    for name in _SETTINGS:
        (row,) = re.findall(rf"^\| `sluice-{name}` \| (.*) \|$", page, re.MULTILINE)
        # The marts' job has one more.
        more = ["/run/secrets/analytics-url"] if name == "lake" else []
        files = {each for each in (*_environment(made, name).values(), *more) if each.startswith("/run/secrets/")}
        assert {f"/run/secrets/{file}" for file in re.findall("`([^`]+)`", row)} == files, name


def _reached(made: list[Object]) -> dict[str, set[str]]:
    """Peers that each component may reach, by its policy; other components only where theirs lets it in."""
    policies = _named(made, "NetworkPolicy")
    reached: dict[str, set[str]] = {}
    for name, policy in policies.items():
        reached[name] = set()
        for rule in policy["spec"]["egress"]:
            ports = {str(port["port"]) for port in rule["ports"]}
            others = [
                peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
                for peer in rule.get("to", [])
                if "podSelector" in peer
            ]
            for other in others:
                lets_in = [
                    each
                    for each in policies[other]["spec"]["ingress"]
                    if each["ports"] == rule["ports"] and name in str(each.get("from"))
                ]
                assert lets_in, f"{other} does not let {name} in"
            reached[name] |= set(others) or {_SERVERS[port] for port in ports if port in _SERVERS}
            if "587" in ports:
                reached[name].add("outside")
    return reached


def test_a_component_reaches_what_the_compose_networks_let_it_reach_and_no_more() -> None:
    services = compose()["services"]
    members: dict[str, set[str]] = {}
    for name, service in services.items():
        for network in service.get("networks", []):
            members.setdefault(network, set()).add(re.sub(r"-\d$", "", name))

    def served(network: str, client: str) -> set[str]:
        """Of all who are on a network, those whom a client needs."""
        if network == "outside":
            return {"outside"}
        if network.endswith("translator"):
            return {"translator"}
        if network == "edge":
            return members[network] - {"edge"} if client == "edge" else set()
        return members[network] & {*_SERVERS.values()}

    with_the_lake = chart.template(
        chart.helm(),
        "--values",
        chart.values("least"),
        "--set",
        "lake.enabled=true,lake.url=s3://lake,lake.s3.accessKeyId=sluice",
    )
    reached = _reached(chart.objects(with_the_lake.stdout))
    # Their part of the lake, and the marts' database.
    assert reached.pop("lake-jobs") == reached["lake"] | {"postgres"}
    for component, others in reached.items():
        networks = {
            network
            for network, on in members.items()
            if component in on and not network.startswith(("telemetry-", "probe-"))
        }
        assert others == {other for each in networks for other in served(each, component)} - {component}


def test_the_lake_reaches_a_bucket_at_the_port_of_its_address() -> None:
    address = "lake.s3.endpoint=http://minio.example:9000"
    done = chart.template(chart.helm(), "--values", chart.values("everything"), "--set", address)
    policies = _named(chart.objects(done.stdout), "NetworkPolicy")
    for name in ("lake", "lake-jobs"):
        open_ports = {port["port"] for rule in policies[name]["spec"]["egress"] for port in rule.get("ports", [])}
        assert 9000 in open_ports, name


def test_metrics_are_open_to_prometheus_alone_and_only_where_it_is_told_of_them() -> None:
    for name, policy in _named(chart.rendered("everything"), "NetworkPolicy").items():
        from_others = [each["from"] for each in policy["spec"].get("ingress") or [] if "namespaceSelector" in str(each)]
        if name not in ("bootstrap", "lake-jobs"):
            team = "ingress" if name == "edge" else "monitoring"
            assert [team in str(each) for each in from_others] == [True], name
    assert "monitoring" not in str(_named(chart.rendered("least"), "NetworkPolicy"))


def test_the_rules_and_the_edges_configuration_are_those_of_the_repository_and_no_copies() -> None:
    made = chart.rendered("everything")
    links = {"nginx.conf": ROOT / "deploy/nginx/nginx.conf", "alerts.yml": ROOT / "deploy/prometheus/alerts.yml"}
    for name, source in links.items():
        assert (chart.CHART / "files" / name).is_symlink()
        assert (chart.CHART / "files" / name).resolve() == source
    assert _named(made, "ConfigMap")["edge"]["data"]["nginx.conf"] == links["nginx.conf"].read_text(encoding="utf-8")
    alerts = yaml.safe_load(links["alerts.yml"].read_text(encoding="utf-8"))
    assert _named(made, "PrometheusRule")["alerts"]["spec"] == alerts


def test_monitors_give_the_names_that_the_rules_ask_for() -> None:
    monitors = _named(chart.rendered("everything"), "ServiceMonitor").values()
    given = [
        {each["targetLabel"]: each["replacement"] for each in monitor["spec"]["endpoints"][0]["relabelings"]}
        for monitor in monitors
    ]
    asked = set(re.findall(r'job="([\w-]+)"', (ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8")))
    # The exporter that asks the edge from outside is no part of the chart.
    assert asked - {"edge"} <= {each["job"] for each in given}
    assert {each["side"] for each in given if each["job"] == "gateway"} == {"command", "query"}


@pytest.mark.parametrize(
    ("component", "topic", "group"),
    [
        ("audit-sink", TopicSettings().topic, SinkSettings().group_id),
        ("inventory-index", InventoryTopicSettings().topic, IndexerSettings().group_id),
        ("lake", TopicSettings().topic, ServeSettings().group_id),
    ],
)
def test_consumers_are_scaled_by_their_lag_and_before_the_first_offset_by_everything(
    component: str, topic: str, group: str
) -> None:
    made = chart.rendered("everything")
    scaled = _named(made, "ScaledObject")[component]["spec"]
    (trigger,) = scaled["triggers"]
    assert (trigger["metadata"]["topic"], trigger["metadata"]["consumerGroup"]) == (topic, group)
    assert trigger["metadata"]["offsetResetPolicy"] == "earliest"
    assert scaled["maxReplicaCount"] <= 6
    assert "replicas" not in _named(made, "Deployment")[component]["spec"]
    (user,) = _named(made, "TriggerAuthentication")[component]["spec"]["env"]
    assert _environment(made, component)[user["name"]] == component


def test_query_gateways_are_scaled_by_processor_and_requests_inside() -> None:
    scaled = _named(chart.rendered("everything"), "HorizontalPodAutoscaler")["query-gateway"]["spec"]
    assert scaled["scaleTargetRef"]["kind"] == "StatefulSet"
    processor, inside = scaled["metrics"]
    assert processor["resource"]["name"] == "cpu"
    assert inside["pods"]["metric"]["name"] == "gateway_requests_inside"


def test_whoever_can_lose_events_keeps_its_volume_and_who_serves_goes_on_until_nobody_is_sent_to_it() -> None:
    made = chart.rendered("least")
    sets = _named(made, "StatefulSet")
    assert set(sets) == {"command-gateway", "query-gateway", "live"}
    for name, each in sets.items():
        (claim,) = each["spec"]["volumeClaimTemplates"]
        (container,) = each["spec"]["template"]["spec"]["containers"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert _environment(made, name)["GATEWAY_SPOOL_DIR"].startswith(f"{mounts[claim['metadata']['name']]}/")
        assert each["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"
    for name, pod in chart.pods(made):
        (container,) = pod["containers"]
        if name.removeprefix("sluice-") in ("command-gateway", "query-gateway", "live", "translator", "edge"):
            asleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            # Names live five seconds at the resolver, and five at nginx.
            assert 10 < asleep < pod["terminationGracePeriodSeconds"] - 25


def test_the_edge_knows_the_pods_and_tells_the_sides_apart() -> None:
    made = chart.rendered("least")
    upstream = _named(made, "ConfigMap")["edge"]["data"]["upstream.conf"]
    ports = {name: service["spec"]["ports"] for name, service in _named(made, "Service").items()}
    for side, component, port in (
        ("command", "command-gateway", 8000),
        ("query", "query-gateway", 8000),
        ("live", "live", 8003),
    ):
        assert re.search(
            rf"upstream {side} {{[^}}]*server sluice-{component}\.sluice\.svc\.cluster\.local:{port} resolve ", upstream
        )
        assert port in {each["port"] for each in ports[component]}
        assert _named(made, "Service")[component]["spec"]["clusterIP"] == "None"


@everywhere
def test_nginx_takes_the_edges_configuration(tmp_path: Path, example: str) -> None:
    assert edge.check(tmp_path, _named(chart.rendered(example), "ConfigMap")["edge"]["data"]["upstream.conf"]) == ""


def test_an_ingress_leaves_everything_to_the_edge() -> None:
    (rule,) = _named(chart.rendered("everything"), "Ingress")["edge"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["backend"]["service"]) == ("/", {"name": "sluice-edge", "port": {"name": "https"}})


def test_each_command_of_a_job_is_one_of_the_lake() -> None:
    jobs = _named(chart.rendered("everything"), "CronJob")
    assert set(jobs) == {f"lake-{each}" for each in ("compact", "marts", "reconcile", "score", "vacuum")}
    for job in jobs.values():
        (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        package, command = container["args"]
        assert (package, find_spec(f"lake.commands.{command}") is not None) == ("lake", True), command
        assert (job["spec"]["concurrencyPolicy"], job["spec"]["suspend"]) == ("Forbid", False)
        assert not {each["name"].removesuffix("_FILE") for each in container.get("env", [])} - _known((MartSettings,))


def test_the_bootstrap_runs_what_that_of_the_compose_file_runs() -> None:
    (container,) = _named(chart.rendered("least"), "Job")["bootstrap"]["spec"]["template"]["spec"]["containers"]
    commands = r"python -m (\w+ \w+)"
    ours = re.findall(commands, container["command"][-1])
    assert sorted(ours) == sorted(re.findall(commands, str(compose()["services"]["bootstrap"]["entrypoint"])))


def test_every_component_may_be_disturbed_one_pod_at_a_time() -> None:
    made = chart.rendered("everything")
    budgets = _named(made, "PodDisruptionBudget")
    assert set(budgets) == {*_named(made, "Deployment"), *_named(made, "StatefulSet")}
    assert all(each["spec"]["maxUnavailable"] == 1 for each in budgets.values())


def test_images_are_pinned() -> None:
    for _, pod in chart.pods(chart.rendered("everything")):
        assert re.search(r"@sha256:[0-9a-f]{64}$|:\d+\.\d+\.\d+$", pod["containers"][0]["image"])
    edge = compose()["services"]["edge"]["image"]
    assert edge in str(chart.rendered("least"))


def test_the_least_kubernetes_knows_all_that_is_used() -> None:
    text = Path(chart.CHART / "Chart.yaml").read_text(encoding="utf-8")
    assert 'kubeVersion: ">=1.30.0-0"' in text
    assert chart.faults(chart.rendered("everything"), "1.30.0") == []
