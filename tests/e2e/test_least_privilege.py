"""Each service does its work with the users, roles and grants of the deployment, and can do nothing else with them."""

import json
import logging
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import urllib3
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import ScramMechanism, UserScramCredentialDeletion
from confluent_kafka.cimpl import NewTopic
from elastic_transport import TlsError
from elasticsearch import Elasticsearch
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from elastic.client import connect
from elastic.settings import ElasticsearchSettings
from kit.kafka import KafkaSettings, SaslMechanism, SecurityProtocol, client_config
from tests.e2e.deployment import Deployment, deployed
from tests.support.compose import compose
from tests.support.waiting import eventually

_TOPIC, _LETTERS = "query-events", "query-events.dlq"
_CHANGES = "inventory-changes"
_WAKE_UPS = "console-events"
_SCRAM = ScramMechanism.SCRAM_SHA_512


@pytest.fixture(scope="module", name="it")
def fixture_it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The secured servers, after bootstrap, with the demo inventory."""
    with pytest.MonkeyPatch.context() as patch, deployed(tmp_path_factory.mktemp("deployment"), patch) as it:
        for arguments in [*it.bootstrap_commands(), ["gateway", "seed"]]:
            done = it.run("bootstrap", *arguments)
            assert done.returncode == 0, done.stderr
        with (
            it.started("worker-1", "gateway", "worker"),
            it.started("inventory-index", "inventory_index"),
            _client(it, "query-gateway-1") as client,
        ):
            counted = client.options(ignore_status=(403, 404))
            eventually(lambda: counted.count(index="devices").get("count") == 1012, "the inventory is indexed")
            yield it


@pytest.fixture(scope="module")
def token(it: Deployment) -> Iterator[str]:
    """An auditor's access token, and the services that run while it is good."""
    made = it.run(
        "command-gateway", "gateway", "user", "ada", "--role", "auditor", "--password", text="correct horse battery\n"
    )
    assert made.returncode == 0, made.stderr
    with (
        it.started("translator", "translator", "serve"),
        it.started("audit-sink-1", "audit_sink"),
        it.started("command-gateway", "gateway"),
        it.started("query-gateway-1", "gateway"),
    ):
        for port in (it.translator_port, it.sink_port, it.command_port, it.gateway_port):
            eventually(partial(_is_ready, port), f"port {port} is ready")
        answer = urllib3.request(
            "POST",
            f"http://127.0.0.1:{it.command_port}/auth/token",
            json={"username": "ada", "password": "correct horse battery"},
        )
        assert answer.status == 200, answer.json()
        yield answer.json()["access_token"]


def _is_healthy(kafka_port: int, controller_port: int) -> bool:
    """Whether the compose file's health check finds a broker on these ports healthy."""
    test = compose()["services"]["kafka"]["healthcheck"]["test"]
    assert (test[0], test[1]) == ("CMD", "bash")
    script = test[3].replace("/9092", f"/{kafka_port}").replace("/9093", f"/{controller_port}")
    try:
        done = subprocess.run(["bash", test[2], script], stderr=subprocess.DEVNULL, timeout=2, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def test_the_brokers_health_check_wants_an_answer_and_not_only_a_port(it: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        unanswered = silent.getsockname()[1]
        assert _is_healthy(it.kafka_port, it.controller_port)
        assert not _is_healthy(it.kafka_port, unanswered)
    assert not _is_healthy(unanswered, it.controller_port)


def test_a_search_is_answered_recorded_and_found_by_an_auditor(it: Deployment, token: str) -> None:
    answer = _ask(it, token, "/search", {"query": "Hostname = octoxlabs*", "cursor": "start", "size": 5})
    assert answer["count"] == 12
    page = _ask(it, token, "/search", {"query": "Hostname = octoxlabs*", "cursor": answer["next"], "size": 5})
    assert len(page["results"]) == 5

    def is_found() -> bool:
        trail = {"query": f'event.id = "{answer["query_id"]}"', "index": "query-logs-*"}
        return bool(_ask(it, token, "/search", trail).get("count") == 1)

    eventually(is_found, "the event is in the audit trail")


def test_names_and_values_are_suggested(it: Deployment, token: str) -> None:
    completion = _ask(it, token, "/complete", {"query": "Site = an", "cursor": 9})
    assert "ankara" in json.dumps(completion)


_ELASTICSEARCH = {
    "translator": {"read devices", "read elsewhere"},
    "query-gateway": {"read devices", "refresh devices", "read elsewhere", "read the trail", "read the progress"},
    "audit-sink": {"add to the trail"},
    "worker": {"read devices", "refresh devices", "delete devices", "make an index", "read elsewhere"}
    | {"change templates", "read the progress", "read the trail"},
    "inventory-index": {"write devices", "write the progress"},
    "lake": {"read devices", "read elsewhere", "read the trail"},
}
_REQUESTS: dict[str, Callable[[Elasticsearch], Any]] = {
    "read devices": lambda client: client.search(index="devices"),
    "read the trail": lambda client: client.search(index="query-logs-2026.01.01"),
    "add to the trail": lambda client: client.create(
        index="query-logs-2026.01.01", id=str(time.time_ns()), document={}
    ),
    "replace in the trail": lambda client: client.index(index="query-logs-2026.01.01", id="1", document={}),
    "change the trail": lambda client: client.update(index="query-logs-2026.01.01", id="1", doc={}),
    "delete from the trail": lambda client: client.delete(index="query-logs-2026.01.01", id="1"),
    "delete the trail": lambda client: client.indices.delete(index="query-logs-2026.01.01"),
    "write devices": lambda client: client.index(index="devices", document={}),
    "refresh devices": lambda client: client.indices.refresh(index="devices"),
    "read the progress": lambda client: client.search(index="inventory-progress"),
    "write the progress": lambda client: client.index(
        index="inventory-progress", id="x", document={"topic_id": "x", "partition": 0, "offset": 0}
    ),
    "delete devices": lambda client: client.indices.delete(index="devices"),
    "make an index": lambda client: client.indices.create(index="elsewhere"),
    "read elsewhere": lambda client: client.search(index="other"),
    "change templates": lambda client: client.indices.put_index_template(name="x", index_patterns=["x*"]),
    "make users": lambda client: client.security.put_user(username="mallory", password="longer than six", roles=[]),
    "make API keys": lambda client: client.security.create_api_key(name="x"),
    "read settings of the cluster": lambda client: client.cluster.get_settings(),
}


@pytest.mark.parametrize("service", _ELASTICSEARCH)
def test_a_service_can_do_what_it_needs_in_elasticsearch_and_nothing_else(it: Deployment, service: str) -> None:
    # A deletion in an index that does not exist is answered before any right is asked for.
    with _client(it, "audit-sink-1") as sink:
        _REQUESTS["add to the trail"](sink)
    with _client(it, service if service in ("translator", "inventory-index", "lake") else f"{service}-1") as client:
        answers = {what: ask(client.options(ignore_status=range(400, 500))) for what, ask in _REQUESTS.items()}
    allowed = {what for what, answer in answers.items() if answer.meta.status != 403}
    assert allowed == _ELASTICSEARCH[service], {what: answers[what].body for what in allowed}


def test_a_stranger_gets_nothing_of_elasticsearch(it: Deployment) -> None:
    address = f"https://localhost:{it.elasticsearch_port}"
    with Elasticsearch(address, ca_certs=str(it.secrets / "query-gateway" / "ca.crt")) as nobody:
        for ask in _REQUESTS.values():
            assert ask(nobody.options(ignore_status=401)).meta.status == 401
    with Elasticsearch(address) as trusting, pytest.raises(TlsError):
        trusting.cluster.health()


def _producer_error(it: Deployment, service: str, topic: str) -> str | None:
    """Why a service's record is not taken; None where it is."""
    found: list[KafkaError | None] = []
    producer = Producer(_kafka(it, service) | {"enable.idempotence": True, "message.timeout.ms": 20_000})
    producer.produce(topic, b"{}", on_delivery=lambda error, _: found.append(error))
    producer.flush(30)
    return found[0].name() if found[0] else None


def _consumer_error(it: Deployment, service: str, topic: str) -> str | None:
    """Why a service cannot read a topic's first partition; None where it can."""
    with closing(Consumer(_kafka(it, service) | {"group.id": "audit-sink", "enable.auto.commit": False})) as consumer:
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(0.5)
        error = None if message is None else message.error()
        # Live sockets read without a group, whose coordinator they may not ask.
        if error is not None and (service, error.name()) != ("live", "GROUP_AUTHORIZATION_FAILED"):
            return error.name()
        try:
            consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
        except KafkaException as refused:
            return str(refused.args[0].name())
        return None


_DENIED = ("TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED")


def test_the_gateway_can_write_events_and_cannot_read_them(it: Deployment) -> None:
    assert _producer_error(it, "query-gateway-1", _TOPIC) is None
    assert _producer_error(it, "query-gateway-1", _LETTERS) in _DENIED
    assert _consumer_error(it, "query-gateway-1", _TOPIC) in _DENIED
    assert _consumer_error(it, "query-gateway-1", _LETTERS) in _DENIED


def test_the_sink_can_read_events_and_write_dead_letters_alone(it: Deployment) -> None:
    assert _consumer_error(it, "audit-sink-1", _TOPIC) is None
    assert _producer_error(it, "audit-sink-1", _LETTERS) is None
    assert _producer_error(it, "audit-sink-1", _TOPIC) in _DENIED


def test_live_sockets_read_the_trail_and_the_wake_ups_that_gateway_and_worker_write(it: Deployment) -> None:
    for topic in (_TOPIC, _WAKE_UPS):
        assert _consumer_error(it, "live", topic) is None
    assert _producer_error(it, "live", _TOPIC) is None
    assert _producer_error(it, "live", _WAKE_UPS) in _DENIED
    # A topic that one may not describe has no partitions for one.
    assert _consumer_error(it, "live", _LETTERS) in (*_DENIED, "_UNKNOWN_PARTITION")
    for service in ("query-gateway-1", "worker-1"):
        assert _producer_error(it, service, _WAKE_UPS) is None
        assert _consumer_error(it, service, _WAKE_UPS) in _DENIED
    assert _producer_error(it, "audit-sink-1", _WAKE_UPS) in _DENIED


def test_live_sockets_are_served_with_the_rights_of_their_own(it: Deployment) -> None:
    with it.started("live", "gateway", "live"):
        eventually(partial(_is_ready, it.live_metrics_port), "live sockets are served, and both topics read")


def test_the_lake_reads_the_trail_and_puts_looks_at_names_on_it(it: Deployment) -> None:
    with it.started("lake", "lake", "serve"):
        eventually(partial(_is_ready, it.lake_port), "the lake is written")
    assert _producer_error(it, "lake", _TOPIC) is None
    for topic in (_CHANGES, _LETTERS, _WAKE_UPS):
        assert _producer_error(it, "lake", topic) in _DENIED
        assert _consumer_error(it, "lake", topic) in (*_DENIED, "_UNKNOWN_PARTITION")


def test_the_sinks_own_commands_work_with_its_grants(it: Deployment) -> None:
    for arguments in (("status",), ("dead-letters", "list")):
        done = it.run("audit-sink-1", "audit_sink", *arguments)
        assert done.returncode == 0, done.stderr


def test_the_worker_writes_changes_and_the_indexer_reads_them(it: Deployment) -> None:
    assert _producer_error(it, "worker-1", _TOPIC) is None
    assert _producer_error(it, "worker-1", f"{_CHANGES}.dlq") in _DENIED
    assert _consumer_error(it, "worker-1", _TOPIC) in _DENIED
    assert _producer_error(it, "inventory-index", _CHANGES) in _DENIED
    assert _producer_error(it, "inventory-index", _TOPIC) in _DENIED
    for service in ("query-gateway-1", "audit-sink-1"):
        assert _producer_error(it, service, _CHANGES) in _DENIED
    for arguments in (("status",), ("dead-letters", "list")):
        done = it.run("inventory-index", "inventory_index", *arguments)
        assert done.returncode == 0, done.stderr


def test_the_worker_verifies_with_its_rights(it: Deployment) -> None:
    done = it.run("worker-1", "gateway", "verify", "product")
    assert (done.returncode, done.stdout) == (0, "product: index and database agree\n"), done.stderr


@pytest.mark.parametrize("service", ["query-gateway-1", "live", "audit-sink-1", "worker-1", "inventory-index", "lake"])
def test_a_service_administers_nothing(it: Deployment, service: str) -> None:
    admin = AdminClient(_kafka(it, service))
    made = admin.create_topics([NewTopic("mine", 1, 1)])["mine"]
    with pytest.raises(KafkaException) as refused:
        made.result(30)
    assert refused.value.args[0].name() in ("TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED")
    changed = admin.alter_user_scram_credentials([UserScramCredentialDeletion("gateway", _SCRAM)])["gateway"]
    with pytest.raises(KafkaException) as refused:
        changed.result(30)
    assert refused.value.args[0].name() == "CLUSTER_AUTHORIZATION_FAILED"


def test_a_wrong_password_is_named_and_not_shown(it: Deployment) -> None:
    done = it.run("audit-sink-1", "audit_sink", "status", KAFKA_SASL_PASSWORD="a guess")
    assert done.returncode == 1
    assert "SASL authentication error: Authentication failed" in done.stderr
    assert "a guess" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stranger_gets_nothing_of_kafka(it: Deployment) -> None:
    for protocol in ({"security.protocol": "PLAINTEXT"}, {"security.protocol": "SSL"}):
        stranger = AdminClient({"bootstrap.servers": f"localhost:{it.kafka_port}", **protocol})
        with pytest.raises(KafkaException):
            stranger.list_topics(timeout=1)


def test_securing_again_takes_away_what_was_added(it: Deployment) -> None:
    admin = AdminClient(_kafka(it, "bootstrap"))
    before = set(admin.describe_acls(_EVERY_GRANT).result(30))
    admin.create_acls([_READ_ALL])[_READ_ALL].result(30)
    done = it.run("bootstrap", "audit_sink", "secure", "--passwords", str(it.secrets / "bootstrap" / "kafka"))
    assert done.stdout == (
        "gateway: has its password and 2 grants\nlive: has its password and 3 grants\n"
        "audit-sink: has its password and 5 grants\n"
    )
    eventually(lambda: set(admin.describe_acls(_EVERY_GRANT).result(30)) == before, "the grants are as before")


_ANY: Any = None
_EVERY_GRANT = AclBindingFilter(
    ResourceType.ANY, _ANY, ResourcePatternType.ANY, _ANY, _ANY, AclOperation.ANY, AclPermissionType.ANY
)
_READ_ALL = AclBinding(
    ResourceType.TOPIC,
    _TOPIC,
    ResourcePatternType.LITERAL,
    "User:gateway",
    "*",
    AclOperation.READ,
    AclPermissionType.ALLOW,
)


def _kafka(it: Deployment, service: str) -> dict[str, Any]:
    """The client properties that a service makes of its settings."""
    told = it.environment(service)
    settings = KafkaSettings(
        bootstrap_servers=told["KAFKA_BOOTSTRAP_SERVERS"],
        security_protocol=SecurityProtocol(told["KAFKA_SECURITY_PROTOCOL"]),
        sasl_mechanism=SaslMechanism(told.get("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512")),
        sasl_username=told["KAFKA_SASL_USERNAME"],
        sasl_password=SecretStr(Path(told["KAFKA_SASL_PASSWORD_FILE"]).read_text(encoding="utf-8")),
        ssl_ca=Path(told["KAFKA_SSL_CA"]),
    )
    return {**client_config(settings), "logger": logging.getLogger("kafka")}


def _client(it: Deployment, service: str) -> Elasticsearch:
    """Elasticsearch as a service reaches it."""
    told = it.environment(service)
    return connect(
        ElasticsearchSettings(
            url=told["ELASTICSEARCH_URL"],
            username=told["ELASTICSEARCH_USERNAME"],
            password=SecretStr(Path(told["ELASTICSEARCH_PASSWORD_FILE"]).read_text(encoding="utf-8")),
            ca_certs=Path(told["ELASTICSEARCH_CA_CERTS"]),
        )
    )


def _is_ready(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/readyz", retries=False, timeout=10.0).status == 200
    except HTTPError:
        return False


def _ask(it: Deployment, token: str, path: str, body: dict[str, Any]) -> Any:
    answer = urllib3.request(
        "POST",
        f"http://127.0.0.1:{it.gateway_port}{path}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        retries=False,
        timeout=30.0,
    )
    return answer.json()
