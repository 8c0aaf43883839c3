"""The three services as processes on the real servers, each with a log of its own."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import urllib3
from confluent_kafka import Producer
from elasticsearch import Elasticsearch

from local import ports
from tests.support.consumer_process import ConsumerProcess
from tests.support.faulty_proxy import FaultyProxy, in_front_of
from tests.support.gateway import INDEX, Backing, Gateway, configured_gateway
from tests.support.process import python, running
from tests.support.trail import Trail
from tests.support.waiting import eventually, wait_until_up

USER = "zelda"
PASSWORD = "a-password-that-nobody-may-see"
SERVICES = ("gateway", "translator", "audit_sink")


@dataclass
class Stack:
    """The services, and what stands between them.

    Attributes:
        gateway: where requests go.
        elasticsearch: what the gateway takes for Elasticsearch.
        translator: what the gateway takes for the translator.
        trail: the topic and the indices that the sink works on.
        home: where the logs are.
        caller: the user's ``Authorization``.
    """

    gateway: Gateway
    elasticsearch: FaultyProxy
    translator: FaultyProxy
    trail: Trail
    home: Path
    caller: str = "Octoxlabs " + b64encode(USER.encode()).decode()

    def log(self, service: str) -> str:
        """All that a service has logged."""
        return (self.home / f"{service}.log").read_text(encoding="utf-8")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """Send a request, with an object or bytes as its body."""
        content = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return urllib3.request(method, self.gateway.url + path, body=content, headers=sent, retries=False, timeout=30.0)

    def search(self, query: str, **headers: str) -> urllib3.BaseHTTPResponse:
        """``POST /search`` as the user."""
        return self.ask("POST", "/search", {"query": query, "index": INDEX}, Authorization=self.caller, **headers)

    def document(self, event_id: str) -> dict[str, Any]:
        """The document of an event, once it is there."""
        eventually(lambda: event_id in self.trail.indexed(), event_id)
        source: dict[str, Any] = self.trail.indexed()[event_id]["_source"]
        return source


@contextmanager
def running_services(
    home: Path, kafka: str, elasticsearch: Elasticsearch, url: str, **variables: str
) -> Iterator[Stack]:
    """Run the services with these variables more, until the block ends; their user is ``USER``.

    Args:
        home: for files.
        kafka: the broker, where the test looks at it.
        elasticsearch: a client.
        url: Elasticsearch's address.
        variables: of all three services.
    """
    trail = Trail(kafka, url, uuid4().hex[:12], elasticsearch, Producer({"bootstrap.servers": kafka}))
    trail.create_topics()
    port = ports.free(1)[0]
    with ExitStack() as ends:
        translator = {"TRANSLATOR_PORT": str(port), "ELASTICSEARCH_URL": url} | variables
        ends.enter_context(
            running(*python("translator", "serve"), environment=os.environ | translator, log=home / "translator.log")
        )
        sink = ConsumerProcess(trail, home / "audit_sink.log", **variables)
        ends.callback(sink.stop)
        to_search = ends.enter_context(in_front_of(url))
        to_translator = ends.enter_context(in_front_of(f"http://127.0.0.1:{port}"))
        gateway = configured_gateway(
            home,
            Backing(kafka, to_search.url, to_translator.url),
            **{"AUDIT_TOPIC": trail.topic, "GATEWAY_TRUSTED_PROXIES": "127.0.0.0/8", "GATEWAY_WORKERS": "1"}
            | variables,
        )
        subprocess.run(
            [sys.executable, "-m", "gateway", "user", USER, "--password"],
            env=gateway.environment,
            input=PASSWORD,
            text=True,
            capture_output=True,
            check=True,
        )
        ends.enter_context(gateway.started(log=home / "gateway.log"))
        wait_until_up(f"http://127.0.0.1:{port}/readyz")
        if kafka == variables.get("KAFKA_BOOTSTRAP_SERVERS", kafka):
            sink.wait_until_ready()
            # Else it would come into the batch of a test's own events.
            eventually(trail.indexed, "the event of the user's creation")
        yield Stack(gateway, to_search, to_translator, trail, home)
