"""Sluice's own services as programs of the stack, and the commands that prepare them."""

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from joserfc.jwk import RSAKey

from local.errors import StackError
from local.identity_provider import CLIENT_ID
from local.servers import Servers, answers_ok
from local.supervisor import Program, clean_environment

USER = "octoAdmin"
TOPIC = "query-events"
INVENTORY_TOPIC = "inventory-changes"
CONSOLE_TOPIC = "console-events"
OPERATOR = "octoOperator"
_ROLES = {USER: "searcher", "octoAuditor": "auditor", OPERATOR: "admin"}
"""The demo users."""
_SIGNING_KEY_BITS = 3072
PROVIDER = "demo"
_PROVIDERS, _PROVIDER_SECRET = "providers.json", "provider-secret"


@dataclass(frozen=True, slots=True)
class Services:  # pylint: disable=too-many-instance-attributes  # a port each
    """The services on servers that run, with their files in ``home``.

    Attributes:
        home: the folder of their files.
        servers: Kafka and Elasticsearch.
        gateway_port: the gateway's port.
        translator_port: the translator's port.
        audit_sink_metrics_port: the audit sink's port for health and metrics.
        inventory_index_metrics_port: the inventory's indexer's.
        worker_metrics_port: the gateway's worker's.
        identity_provider_port: the demo's identity provider's.
        live_port: the port of live sockets.
        live_metrics_port: their process's, for health and metrics.
        lake_metrics_port: the lake's.
        own: settings of the user's own.
        devices: how many devices the inventory has beside the named ones.
    """

    home: Path
    servers: Servers
    gateway_port: int
    translator_port: int
    audit_sink_metrics_port: int
    inventory_index_metrics_port: int
    worker_metrics_port: int
    identity_provider_port: int
    live_port: int
    live_metrics_port: int
    lake_metrics_port: int
    own: Mapping[str, str] = field(default_factory=dict)
    devices: int = 1_000

    @property
    def gateway_url(self) -> str:
        """The address that clients are given."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def identity_provider_url(self) -> str:
        """The issuer of the demo's identity provider."""
        return f"http://127.0.0.1:{self.identity_provider_port}"

    @property
    def translator_url(self) -> str:
        """The address that the gateway is given."""
        return f"http://127.0.0.1:{self.translator_port}"

    def prepare(self) -> None:
        """Create index templates, topics, the gateway's database, the demo inventory and users; repeatable.

        Raises:
            StackError: one of the commands fails.
        """
        self._keep("secret-key", lambda: secrets.token_urlsafe(48))
        self._keep("signing-key.pem", lambda: RSAKey.generate_key(_SIGNING_KEY_BITS).as_pem(private=True).decode())
        self._keep("lake-user-key", lambda: secrets.token_urlsafe(48))
        self._write_providers()
        commands = (
            ("elastic", "bootstrap"),
            ("audit_sink", "topics"),
            ("inventory_index", "topics"),
            ("gateway", "migrate"),
        )
        with ThreadPoolExecutor(len(commands)) as side_by_side:
            for done in [side_by_side.submit(self._run, *arguments) for arguments in commands]:
                done.result()
        self._run("gateway", "seed", "--devices", str(self.devices))
        for name, role in _ROLES.items():
            password = self._keep(f"{name}-password", lambda: secrets.token_urlsafe(16))
            self._run("gateway", "user", name, "--role", role, "--password", standard_input=password)

    def programs(self) -> list[Program]:
        """The services of the main job, in the order in which each finds what it calls."""
        sink = f"http://127.0.0.1:{self.audit_sink_metrics_port}"
        return [
            Program(
                "identity_provider",
                [
                    *(sys.executable, "-m", "local.identity_provider", str(self.identity_provider_port)),
                    *(str(self.home / _PROVIDER_SECRET), f"{self.gateway_url}/auth/{PROVIDER}/callback"),
                ],
                lambda: answers_ok(f"{self.identity_provider_url}/keys"),
            ),
            self._program("translator", f"{self.translator_url}/readyz", "serve"),
            self._program("audit_sink", f"{sink}/readyz"),
            self._program("inventory_index", f"http://127.0.0.1:{self.inventory_index_metrics_port}/readyz"),
            self._program("gateway", f"{self.gateway_url}/readyz"),
            Program(
                "worker",
                [sys.executable, "-m", "gateway", "worker"],
                lambda: answers_ok(f"http://127.0.0.1:{self.worker_metrics_port}/readyz"),
            ),
            Program(
                "live",
                [sys.executable, "-m", "gateway", "live"],
                lambda: answers_ok(f"http://127.0.0.1:{self.live_metrics_port}/readyz"),
            ),
        ]

    def lake(self) -> Program:
        """The lake's writer, which nothing else waits for."""
        return self._program("lake", f"http://127.0.0.1:{self.lake_metrics_port}/readyz", "serve")

    def environment(self) -> dict[str, str]:
        """The variables of all of them, as an operator would set them."""
        return {
            "GATEWAY_WORKERS": "2",
            "GATEWAY_SIGNUP": "true",
            "GATEWAY_MAIL_URL": (self.home / "mail").as_uri(),
            "GATEWAY_PROVIDERS_FILE": str(self.home / _PROVIDERS),
            "GATEWAY_LOOPBACK_PROVIDERS": "true",
            # Who has just searched wants to see it.
            "LAKE_COMMIT_SECONDS": "5",
            "LAKE_ASSET_INDEX": "devices",
            # One person's machine, on which load is made on purpose.
            "GATEWAY_USER_RATE": "100000/second",
            "GATEWAY_TYPING_RATE": "100000/second",
            "GATEWAY_ADDRESS_RATE": "100000/second",
            "GATEWAY_LOGIN_FAILURES": "1000/minute",
            "GATEWAY_ADDRESS_LOGIN_FAILURES": "1000/minute",
            **self.own,
            **self.fixed(),
        }

    def fixed(self) -> dict[str, str]:
        """The variables that hold the stack together, which no setting of one's own may change."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.servers.kafka.bootstrap_servers,
            "ELASTICSEARCH_URL": self.servers.elasticsearch.url,
            "TRANSLATOR_PORT": str(self.translator_port),
            "AUDIT_SINK_METRICS_PORT": str(self.audit_sink_metrics_port),
            "INVENTORY_INDEX_METRICS_PORT": str(self.inventory_index_metrics_port),
            "GATEWAY_WORKER_METRICS_PORT": str(self.worker_metrics_port),
            "GATEWAY_LIVE_PORT": str(self.live_port),
            "GATEWAY_LIVE_URL": f"ws://127.0.0.1:{self.live_port}",
            "GATEWAY_LIVE_METRICS_PORT": str(self.live_metrics_port),
            "GATEWAY_PORT": str(self.gateway_port),
            "GATEWAY_TRANSLATOR_URL": self.translator_url,
            "GATEWAY_SPOOL_DIR": str(self.home / "spool"),
            "GATEWAY_DATABASE_URL": f"sqlite:///{self.home / 'gateway.db'}",
            "GATEWAY_SECRET_KEY_FILE": str(self.home / "secret-key"),
            "GATEWAY_JWT_KEYS_FILE": str(self.home / "signing-key.pem"),
            "GATEWAY_UNSIGNED_TOKENS": "true",
            "GATEWAY_PUBLIC_URL": self.gateway_url,
            "AUDIT_TOPIC": TOPIC,
            "INVENTORY_TOPIC": INVENTORY_TOPIC,
            "CONSOLE_TOPIC": CONSOLE_TOPIC,
            "LAKE_URL": str(self.home / "lake"),
            "LAKE_USER_KEY_FILE": str(self.home / "lake-user-key"),
            "LAKE_METRICS_PORT": str(self.lake_metrics_port),
        }

    def _write_providers(self) -> None:
        """Write the gateway's table of providers, whose one entry has the demo's provider where it is now."""
        demo = {
            "label": "the demo's provider",
            "issuer": self.identity_provider_url,
            "client_id": CLIENT_ID,
            "client_secret": self._keep(_PROVIDER_SECRET, lambda: secrets.token_urlsafe(16)),
            "create": "always",
            "indices": ["*"],
            "role_claim": "groups",
            "roles": {"auditors": "auditor"},
            "max_role": "auditor",
            "bearer": True,
        }
        path = self.home / _PROVIDERS
        path.touch(mode=0o600)
        path.write_text(json.dumps({PROVIDER: demo}), encoding="utf-8")

    def _keep(self, name: str, make: Callable[[], str]) -> str:
        """Make a secret at the first start, and keep it in a file for its owner alone."""
        path = self.home / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(make(), encoding="utf-8")
        return path.read_text(encoding="utf-8")

    def _program(self, name: str, readiness: str, *arguments: str) -> Program:
        command = [sys.executable, "-m", name, *arguments]
        return Program(name, command, lambda: answers_ok(readiness))

    def _run(self, *arguments: str, standard_input: str = "") -> None:
        command = [sys.executable, "-m", *arguments]
        environment = clean_environment(self.environment())
        result = subprocess.run(
            command, env=environment, input=standard_input, capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            reason = (result.stderr or result.stdout).strip().splitlines()
            raise StackError(f"python -m {' '.join(arguments)}: {reason[-1] if reason else result.returncode}")
