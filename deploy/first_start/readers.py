"""Readers of the secrets: a folder for each, which is a volume that it alone mounts."""

from collections.abc import Mapping

from deploy.first_start.vault import Vault

OWNERS: Mapping[str, int] = {
    # Sluice's own image.
    "command-gateway": 10001,
    "query-gateway": 10001,
    "translator": 10001,
    "audit-sink": 10001,
    "worker": 10001,
    "live": 10001,
    "inventory-index": 10001,
    "lake": 10001,
    "bootstrap": 10001,
    # The users of the official images.
    "kafka": 1000,
    "elasticsearch": 1000,
    "kibana": 1000,
    "postgres": 999,
    "redis": 999,
    "edge": 101,
    "grafana": 472,
}
"""The number of the user that each reader runs as."""

_AUTHORITY = "/run/secrets/ca.crt"

# The broker itself, and who makes the other users, cannot be among the users that the broker keeps.
_JAAS = """\
controller.KafkaServer {{
  org.apache.kafka.common.security.plain.PlainLoginModule required
    username="broker" password="{broker}" user_broker="{broker}";
}};
clients.KafkaServer {{
  org.apache.kafka.common.security.plain.PlainLoginModule required
    username="broker" password="{broker}" user_broker="{broker}" user_bootstrap="{bootstrap}";
  org.apache.kafka.common.security.scram.ScramLoginModule required;
}};
"""
# For Kafka's own programs, run in its container.
_ADMIN = """\
security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=/run/secrets/ca.crt
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" password="{broker}";
"""
# Read beside the image's own configuration; JSON's strings are YAML's.
_KIBANA = """\
elasticsearch.username: kibana_system
elasticsearch.password: "{password}"
"""


def contents(vault: Vault, hosts: list[str]) -> dict[str, dict[str, str]]:
    """Every reader's files by their paths, and what is in them; made where the vault has them not yet.

    Args:
        vault: the originals.
        hosts: the names and addresses that clients know the edge by.
    """
    authority, password = vault.authority(), vault.password
    elasticsearch_key, elasticsearch_certificate = vault.server(["elasticsearch", "localhost"])
    postgres_key, postgres_certificate = vault.server(["postgres", "localhost"])
    redis_key, redis_certificate = vault.server(["redis", "localhost"])
    edge_key, edge_certificate = vault.edge(hosts)
    # Each reader has the authority's certificate in its own volume.
    database = f"@postgres:5432/sluice?sslmode=verify-full&sslrootcert={_AUTHORITY}"
    database_url = f"postgres://sluice:{password('postgres')}{database}"
    # The client looks at the certificate, and at the name in it, without being told.
    redis_url = f"rediss://:{password('redis')}@redis:6379/0?ssl_ca_certs={_AUTHORITY}"
    return {
        "command-gateway": {
            "secret-key": vault.secret_key("secret-key"),
            "signing-key.pem": vault.signing_key(),
            "jwe-keys": vault.given("jwe-keys"),
            "providers.json": vault.given("providers.json"),
            "mail-url": vault.given("mail-url"),
            "database-url": database_url,
            "redis-url": redis_url,
            "kafka-password": password("kafka-gateway"),
            "ca.crt": authority,
        },
        "query-gateway": {
            # By which they sign cursors; with that of the command gateway they could forge log-ins.
            "secret-key": vault.secret_key("query-secret-key"),
            "verifying-keys.pem": vault.verifying_keys(),
            "jwe-keys": vault.given("jwe-keys"),
            "providers.json": vault.bearer_providers(),
            "database-url": f"postgres://sluice_query:{password('postgres-query')}{database}",
            "redis-url": redis_url,
            "kafka-password": password("kafka-gateway"),
            "elasticsearch-password": password("elasticsearch-gateway"),
            "ca.crt": authority,
        },
        "translator": {"elasticsearch-password": password("elasticsearch-translator"), "ca.crt": authority},
        "audit-sink": {
            "kafka-password": password("kafka-audit-sink"),
            "elasticsearch-password": password("elasticsearch-audit-sink"),
            "ca.crt": authority,
        },
        "worker": {
            # The secrets of webhooks are sealed by it.
            "secret-key": vault.secret_key("secret-key"),
            "database-url": database_url,
            "mail-url": vault.given("mail-url"),
            "redis-url": redis_url,
            "kafka-password": password("kafka-worker"),
            "elasticsearch-password": password("elasticsearch-worker"),
            "ca.crt": authority,
        },
        "live": {
            # By which it verifies tokens, and can sign none.
            "verifying-keys.pem": vault.verifying_keys(),
            "jwe-keys": vault.given("jwe-keys"),
            "providers.json": vault.bearer_providers(),
            "database-url": f"postgres://sluice_live:{password('postgres-live')}{database}",
            "kafka-password": password("kafka-live"),
            "ca.crt": authority,
        },
        "inventory-index": {
            "kafka-password": password("kafka-inventory-index"),
            "elasticsearch-password": password("elasticsearch-inventory-index"),
            "ca.crt": authority,
        },
        "lake": {
            # For ever: with another one, nobody's earlier events are theirs any more.
            "user-key": password("lake-user-key"),
            "kafka-password": password("kafka-lake"),
            "elasticsearch-password": password("elasticsearch-lake"),
            "ca.crt": authority,
        },
        "bootstrap": {
            "database-url": database_url,
            "kafka-password": password("kafka-bootstrap"),
            "elastic-password": password("elastic"),
            "postgres/query-gateway": password("postgres-query"),
            "postgres/live": password("postgres-live"),
            "ca.crt": authority,
            **{
                f"kafka/{user}": password(f"kafka-{user}")
                for user in ("gateway", "live", "audit-sink", "worker", "inventory-index", "lake")
            },
            **{
                f"elasticsearch/{user}": password(f"elasticsearch-{user}")
                for user in ("gateway", "translator", "audit-sink", "worker", "inventory-index", "lake")
            },
            "elasticsearch/kibana_system": password("kibana_system"),
        },
        "kafka": {
            "jaas.conf": _JAAS.format(broker=password("kafka-broker"), bootstrap=password("kafka-bootstrap")),
            "admin.properties": _ADMIN.format(broker=password("kafka-broker")),
            "keystore.pem": "".join(vault.server(["kafka", "localhost"])),
            "ca.crt": authority,
        },
        "elasticsearch": {
            "elastic-password": password("elastic"),
            "tls.key": elasticsearch_key,
            "tls.crt": elasticsearch_certificate,
            "ca.crt": authority,
        },
        "kibana": {"kibana.yml": _KIBANA.format(password=password("kibana_system")), "ca.crt": authority},
        "postgres": {"password": password("postgres"), "tls.key": postgres_key, "tls.crt": postgres_certificate},
        "redis": {
            "redis.conf": f"requirepass {password('redis')}\n",
            "tls.key": redis_key,
            "tls.crt": redis_certificate,
            "ca.crt": authority,
        },
        "edge": {"tls.key": edge_key, "tls.crt": edge_certificate},
        "grafana": {"admin-password": password("grafana")},
    }
