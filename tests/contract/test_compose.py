"""The compose file, without a container engine: it is one, and what it names is there."""

import re
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit_sink.settings import SinkSettings
from contracts.query_event.topics import TopicSettings
from deploy.first_start import readers
from elastic.settings import ElasticsearchSettings
from gateway.live.registry import MAX_OF_ADDRESS, MAX_SOCKETS
from gateway.settings import GatewaySettings
from inventory_index.settings import IndexerSettings
from kit.kafka import KafkaSettings
from kit.settings import Settings, TracingSettings
from lake.maintenance import MaintenanceSettings
from lake.marts.settings import MartSettings
from lake.serve.settings import ServeSettings
from tests.support.compose import FILE, VARIABLE, compose
from tests.support.paths import ROOT
from translator.settings import TranslatorSettings

_SERVICES: dict[str, dict[str, Any]] = compose()["services"]
_OURS = {name: service for name, service in _SERVICES.items() if service["image"].startswith("sluice:")}
_ONE_SHOT = {"secrets", "bootstrap", "demo"}
_NO_PROGRAM_THAT_COULD_ASK = {"otel-collector", "tempo"}
_WRITE_AMONG_THEIR_OWN_FILES = {"elasticsearch", "kibana"}

_SETTINGS: dict[str, tuple[type[Settings], ...]] = {
    "command-gateway": (GatewaySettings, TracingSettings, KafkaSettings, TopicSettings),
    "query-gateway": (GatewaySettings, TracingSettings, KafkaSettings, TopicSettings, ElasticsearchSettings),
    "audit-sink": (SinkSettings, TracingSettings, KafkaSettings, TopicSettings, ElasticsearchSettings),
    "worker": (GatewaySettings, TracingSettings, KafkaSettings, TopicSettings, ElasticsearchSettings),
    "live": (GatewaySettings, TracingSettings, KafkaSettings),
    "inventory-index": (IndexerSettings, TracingSettings, KafkaSettings, ElasticsearchSettings),
    "lake": (ServeSettings, MaintenanceSettings, MartSettings, KafkaSettings, ElasticsearchSettings),
    "translator": (TranslatorSettings, TracingSettings, ElasticsearchSettings),
    "bootstrap": (GatewaySettings, SinkSettings, KafkaSettings, TopicSettings, ElasticsearchSettings),
}


def test_it_is_a_compose_file() -> None:
    checked = subprocess.run(
        [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_variable_has_a_default_and_is_documented() -> None:
    text = "\n".join(
        line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    )
    documented = (ROOT / "docs" / "operations" / "first-day.md").read_text(encoding="utf-8")
    for found in VARIABLE.finditer(text):
        assert found["default"] is not None, found["name"]
        assert re.search(rf"^\| `{found['name']}` \| `{re.escape(found['default'])}` \|", documented, re.MULTILINE), (
            found
        )
    left = VARIABLE.sub("", text).replace("$$", "")
    assert "$" not in left


def test_every_file_that_is_mounted_is_in_the_repository() -> None:
    for name, service in _SERVICES.items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {source}"
                assert mount.endswith(":ro"), f"{name}: {mount}"
            else:
                assert source in compose()["volumes"], f"{name}: {source}"


@pytest.mark.parametrize(("service", "folder"), [("command-gateway", "/var/tmp"), ("lake", "/tmp")])
def test_results_of_imports_and_of_reports_wait_on_a_disk_and_not_in_memory(service: str, folder: str) -> None:
    mounts = dict(mount.split(":")[:2][::-1] for mount in _SERVICES[service]["volumes"])
    assert mounts[folder] in compose()["volumes"]
    assert not [mount for mount in _SERVICES[service]["tmpfs"] if mount.startswith(f"{folder}:")]


def _variables(settings: type[Settings]) -> set[str]:
    return {f"{settings.model_config.get('env_prefix', '')}{name}".upper() for name in settings.model_fields}


@pytest.mark.parametrize("service", sorted(set(_OURS) - {"secrets"}))
def test_every_setting_that_a_service_is_given_is_one_of_its_own(service: str) -> None:
    known = set().union(
        *(_variables(each) for each in _SETTINGS[re.sub(r"-\d$", "", service.replace("demo", "bootstrap"))])
    )
    for name in _OURS[service]["environment"]:
        if name != "HEALTH_URL":
            assert name.removesuffix("_FILE") in known, name


def test_only_the_edge_is_published_and_on_loopback_unless_told_otherwise() -> None:
    published = {name: service["ports"] for name, service in _SERVICES.items() if "ports" in service}
    assert set(published) == {"edge"}
    assert all(port.startswith("127.0.0.1:") for port in published["edge"])
    assert not any(service.get("network_mode") == "host" for service in _SERVICES.values())


def test_the_consoles_are_published_by_a_file_of_their_own_on_loopback() -> None:
    consoles = yaml.safe_load((ROOT / "deploy" / "consoles.yml").read_text(encoding="utf-8"))["services"]
    assert set(consoles) == {"grafana", "kibana"}
    for name, service in consoles.items():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert set(service["networks"]) == {*_SERVICES[name]["networks"], "public"}


def test_only_the_edge_and_those_who_send_mail_have_networks_that_lead_elsewhere() -> None:
    outward = {name for name, network in compose()["networks"].items() if not (network or {}).get("internal")}
    assert outward == {"public", "outside"}

    def on(network: str) -> set[str]:
        return {name for name, service in _SERVICES.items() if network in service.get("networks", [])}

    assert on("public") == {"edge"}
    assert on("outside") == {"command-gateway", "worker-1", "worker-2"}


_QUERY_GATEWAYS = {"query-gateway-1", "query-gateway-2"}
_GATEWAYS = {"command-gateway"} | _QUERY_GATEWAYS
_SINKS = {"audit-sink-1", "audit-sink-2"}
_WORKERS = {"worker-1", "worker-2"}
_WATCHERS = {"prometheus", "otel-collector"}
_NEIGHBOURS: dict[str, set[str]] = {
    "edge": {"blackbox", "live"} | _GATEWAYS,
    "live": {"edge", "kafka", "postgres", "bootstrap", "demo"} | _GATEWAYS | _WORKERS | _WATCHERS,
    "command-gateway": {"edge", "live", "kafka", "postgres", "redis", "bootstrap", "demo"}
    | _QUERY_GATEWAYS
    | _WORKERS
    | _WATCHERS,
    "query-gateway-1": {
        "edge",
        "live",
        "command-gateway",
        "query-gateway-2",
        "translator",
        "elasticsearch",
        "kafka",
        "postgres",
    }
    | {"redis", "bootstrap", "demo"}
    | _WORKERS
    | _WATCHERS,
    "query-gateway-2": {
        "edge",
        "live",
        "command-gateway",
        "query-gateway-1",
        "translator",
        "elasticsearch",
        "kafka",
        "postgres",
    }
    | {"redis", "bootstrap", "demo"}
    | _WORKERS
    | _WATCHERS,
    "translator": {"elasticsearch", "bootstrap"} | _QUERY_GATEWAYS | _WORKERS | _WATCHERS,
    "audit-sink-1": {"audit-sink-2", "elasticsearch", "kafka"} | _WATCHERS,
    "audit-sink-2": {"audit-sink-1", "elasticsearch", "kafka"} | _WATCHERS,
    "worker-1": {"worker-2", "live", "translator", "elasticsearch", "kafka", "postgres", "redis", "bootstrap", "demo"}
    | _GATEWAYS
    | _WATCHERS,
    "worker-2": {"worker-1", "live", "translator", "elasticsearch", "kafka", "postgres", "redis", "bootstrap", "demo"}
    | _GATEWAYS
    | _WATCHERS,
    "inventory-index": {"elasticsearch", "kafka"} | _WATCHERS,
    "lake": {"elasticsearch", "kafka", "prometheus"},
    "elasticsearch": {"translator", "bootstrap", "kibana", "blackbox", "inventory-index", "lake"}
    | _QUERY_GATEWAYS
    | _SINKS
    | _WORKERS,
    "kafka": {"bootstrap", "blackbox", "inventory-index", "lake", "live"} | _GATEWAYS | _SINKS | _WORKERS,
    "blackbox": {"prometheus", "edge", "elasticsearch", "kafka"},
    "postgres": {"bootstrap", "demo", "live"} | _GATEWAYS | _WORKERS,
    "redis": _GATEWAYS | _WORKERS,
    "bootstrap": {"elasticsearch", "kafka", "postgres", "translator", "demo", "live"} | _GATEWAYS | _WORKERS,
    "demo": {"postgres", "bootstrap", "live"} | _GATEWAYS | _WORKERS,
    "secrets": set(),
    "prometheus": {"translator", "grafana", "otel-collector", "blackbox", "inventory-index", "lake", "live"}
    | _GATEWAYS
    | _SINKS
    | _WORKERS,
    "otel-collector": {"translator", "grafana", "tempo", "prometheus", "inventory-index", "live"}
    | _GATEWAYS
    | _SINKS
    | _WORKERS,
    "tempo": {"otel-collector", "grafana"},
    "grafana": {"prometheus", "tempo", "otel-collector"},
    "kibana": {"elasticsearch"},
}
"""The services that can reach each other, as SECURITY.md says."""


def test_every_service_shares_a_network_with_these_and_no_others() -> None:
    def neighbours(name: str) -> set[str]:
        own = set(_SERVICES[name].get("networks", []))
        return {each for each, service in _SERVICES.items() if own & set(service.get("networks", []))} - {name}

    assert {name: neighbours(name) for name in _SERVICES} == _NEIGHBOURS


def test_the_edges_address_is_its_own_and_the_only_one_that_is_believed() -> None:
    configured = compose()["networks"]["edge"]["ipam"]["config"][0]
    address = ip_address(_SERVICES["edge"]["networks"]["edge"]["ipv4_address"])
    given_by_docker = ip_network(configured["ip_range"])
    assert address in ip_network(configured["subnet"])
    assert given_by_docker.subnet_of(ip_network(configured["subnet"]))  # type: ignore[arg-type]  # both are IPv4
    assert address not in given_by_docker
    for behind in sorted(_GATEWAYS | {"live"}):
        assert ip_network(_OURS[behind]["environment"]["GATEWAY_TRUSTED_PROXIES"]) == ip_network(address)


@pytest.mark.parametrize("name", _SERVICES)
def test_file_systems_in_memory_have_a_bound(name: str) -> None:
    for mount in _SERVICES[name].get("tmpfs", []):
        assert re.search(r":(.*,)?size=\d+m\b", mount), mount


def test_the_documentation_knows_how_much_memory_the_containers_may_take() -> None:
    def gibibytes(names: list[str]) -> str:
        limits = (_SERVICES[name]["deploy"]["resources"]["limits"]["memory"] for name in names)
        return f"{sum(int(limit[:-1]) * {'M': 1, 'G': 1024}[limit[-1]] for limit in limits) / 1024:g} GiB"

    lasting = [name for name in _SERVICES if name not in _ONE_SHOT]
    more = gibibytes([name for name in lasting if _SERVICES[name].get("profiles") == ["observe"]])
    rest = gibibytes([name for name in lasting if "profiles" not in _SERVICES[name]])
    operations = (ROOT / "docs" / "operations" / "first-day.md").read_text(encoding="utf-8").replace("\n", " ")
    assert f"{more} of memory beside the {rest} of the rest" in operations
    assert more in (ROOT / "README.md").read_text(encoding="utf-8")


def test_kafka_logs_to_the_console_alone() -> None:
    logging = yaml.safe_load((ROOT / "deploy/kafka/log4j2.yaml").read_text(encoding="utf-8"))["Configuration"]
    assert list(logging["Appenders"]) == ["Console"]
    assert "./deploy/kafka:/mnt/shared/config:ro" in _SERVICES["kafka"]["volumes"]
    assert "file" not in _SERVICES["kafka"]["environment"]["KAFKA_GC_LOG_OPTS"]


@pytest.mark.parametrize("name", _SERVICES)
def test_every_service_is_pinned_hardened_and_limited(name: str) -> None:
    service = _SERVICES[name]
    assert name in _OURS or re.search(r":v?\d+\.\d+[\w.-]*$", service["image"]), service["image"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name not in _WRITE_AMONG_THEIR_OWN_FILES)
    assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"])
    assert service["restart"] == ("no" if name in _ONE_SHOT else "unless-stopped")
    checked = not service.get("healthcheck", {"disable": True}).get("disable", False)
    assert checked is (name not in _ONE_SHOT | _NO_PROGRAM_THAT_COULD_ASK)


def test_bodies_that_are_on_their_way_through_the_edge_cannot_fill_its_memory() -> None:
    (temporary,) = _SERVICES["edge"]["tmpfs"]
    size = re.search(r"[:,]size=(\d+)m\b", temporary)
    assert size
    memory = _SERVICES["edge"]["deploy"]["resources"]["limits"]["memory"]
    # 1,215 MiB are what nginx.conf reckons besides.
    assert int(size[1]) + 1_215 <= int(memory.removesuffix("M"))


def test_the_edge_has_as_much_room_for_sockets_as_the_process_behind_it() -> None:
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text(encoding="utf-8")

    def number(directive: str) -> int:
        found = re.search(rf"^\s*{directive} (\d+);", text, re.MULTILINE)
        assert found, directive
        return int(found[1])

    assert number("limit_conn sockets") == MAX_OF_ADDRESS
    assert number("limit_conn all_sockets") == MAX_SOCKETS
    # One to the client and one to the process behind, for each socket and each request.
    connections = 2 * (MAX_SOCKETS + number("limit_conn all_connections"))
    assert number("worker_connections") == connections
    assert number("worker_rlimit_nofile") > connections


def test_a_service_waits_for_others_that_can_be_waited_for() -> None:
    for name, service in _SERVICES.items():
        for other, waiting in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in _ONE_SHOT else "service_healthy"
            assert waiting["condition"] == expected, f"{name} waits for {other}"
            assert "profiles" not in _SERVICES[other] or "profiles" in service or not waiting.get("required", True)


def test_up_waits_for_no_service_that_ends() -> None:
    # `up --wait` wants every service to be running, except those whose end another one waits for.
    waited_for = {
        other
        for service in _SERVICES.values()
        for other, waiting in service.get("depends_on", {}).items()
        if waiting["condition"] == "service_completed_successfully"
    }
    assert waited_for == _ONE_SHOT


def _secrets_of(service: dict[str, Any]) -> set[str]:
    mounted = (mount.split(":")[0] for mount in service.get("volumes", []))
    return {volume.removeprefix("secrets-") for volume in mounted if volume.startswith("secrets-")}


def test_each_service_mounts_its_own_secrets_alone_and_read_only() -> None:
    assert _secrets_of(_SERVICES["secrets"]) == {*readers.OWNERS, "vault"}
    for name, service in _SERVICES.items():
        if name != "secrets":
            own = re.sub(r"-\d$", "", name.replace("demo", "bootstrap"))
            assert _secrets_of(service) <= {own}, name
            assert all(mount.endswith(":ro") for mount in service.get("volumes", []) if mount.startswith("secrets-"))


def test_every_secret_file_that_is_named_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deploy.first_start.command_line import main  # pylint: disable=import-outside-toplevel  # it is patched

    monkeypatch.setattr(readers, "OWNERS", dict.fromkeys(readers.OWNERS, tmp_path.stat().st_uid))
    assert main([str(tmp_path)]) == 0
    for name, service in _SERVICES.items():
        for reader in _secrets_of(service) - {"vault"} if name != "secrets" else ():
            for path in set(re.findall(r"/run/secrets/([\w./-]+)", str(service))):
                assert (tmp_path / reader / path).exists(), f"{name}: {path}"


def test_no_service_accepts_unsigned_tokens() -> None:
    assert all(_OURS[name]["environment"]["GATEWAY_UNSIGNED_TOKENS"] == "false" for name in _GATEWAYS)


def test_one_gateway_writes_and_two_read_with_keys_that_sign_nothing() -> None:
    told = {name: _OURS[name]["environment"] for name in _GATEWAYS}
    roles = {name: each["GATEWAY_ROLE"] for name, each in told.items()}
    assert roles == {"command-gateway": "command"} | dict.fromkeys(_QUERY_GATEWAYS, "query")
    keys = {name: Path(each["GATEWAY_JWT_KEYS_FILE"]).name for name, each in told.items()}
    assert keys == {"command-gateway": "signing-key.pem"} | dict.fromkeys(_QUERY_GATEWAYS, "verifying-keys.pem")
    assert not [name for name in told["command-gateway"] if name.startswith("ELASTICSEARCH_")]


def test_the_servers_are_those_of_the_embedded_stack() -> None:
    pinned = (ROOT / "local" / "jars.toml").read_text(encoding="utf-8")
    kafka, elasticsearch, kibana = (
        _SERVICES[name]["image"].split(":")[1] for name in ("kafka", "elasticsearch", "kibana")
    )
    assert f'"org.apache.kafka:kafka_2.13:{kafka}"' in pinned
    assert f'"org.elasticsearch:elasticsearch:{elasticsearch}"' in pinned
    assert kibana == elasticsearch
