"""Command line of ``python -m local``: ``run`` starts the system and serves, ``demo`` stops after the main job."""

import argparse
import signal
import time
from types import FrameType

from confluent_kafka import KafkaException
from rich.console import Console
from urllib3.exceptions import HTTPError

from kit.settings import ConfigurationError
from local import demo, inventory, preflight, servers
from local.errors import StackError
from local.services import PROVIDER, TOPIC, USER, Services
from local.settings import LocalSettings
from local.settings_file import SettingsFile
from local.supervisor import Supervisor, supervisor

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WATCH_SECONDS = 0.5


class _Stopped(BaseException):
    """A signal asked for an end."""


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not cut the orderly end short.
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped


def main(arguments: list[str] | None = None) -> int:
    """Run the stack; the result is the exit status: 0 done, 1 something failed, 2 a bad setting, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m local", description="Sluice on real servers, on this machine.")
    parser.add_argument("command", choices=["run", "demo"])
    serve = parser.parse_args(arguments).command == "run"
    console, errors = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)
    for number in _STOP_SIGNALS:
        signal.signal(number, _stop)
    try:
        _run(LocalSettings.load(), console, serve)
    except ConfigurationError as error:
        errors.print(str(error), style="red", markup=False)
        return 2
    except (StackError, KafkaException, HTTPError) as error:
        errors.print(f"Sluice stopped: {error}", style="red", markup=False, highlight=False)
        return 1
    except OSError as error:
        errors.print(f"Sluice stopped: {error.filename or 'the system'}: {error.strerror}", style="red", markup=False)
        return 1
    except _Stopped:
        console.print("Stopped.")
        return 0 if serve else 130
    return 0


def _run(settings: LocalSettings, console: Console, serve: bool) -> None:
    own = SettingsFile.read(settings.settings)
    home = settings.home.resolve()
    with preflight.exclusive(home):
        preflight.check_room(home)
        preflight.check_ports(settings.ports())
        base = servers.prepare(
            home,
            (settings.kafka_port, settings.kafka_controller_port),
            (settings.elasticsearch_port, settings.elasticsearch_transport_port),
        )
        services = Services(
            home,
            base,
            settings.gateway_port,
            settings.translator_port,
            settings.audit_sink_metrics_port,
            settings.inventory_index_metrics_port,
            settings.worker_metrics_port,
            settings.identity_provider_port,
            settings.live_port,
            settings.live_metrics_port,
            settings.lake_metrics_port,
            own.values,
            settings.devices,
        )
        own.check(services.fixed())
        lake = services.lake()
        with supervisor(home, [*base.programs(), *services.programs(), lake], services.environment()) as running:
            _start(running, base, services, console)
            demo.show(services, console)
            if serve:
                # After the main job, which does not need it: so that is seen as early as without.
                running.start(lake)
                _serve(running, services, console)
    console.print("\nDone: everything has been stopped.")


def _start(running: Supervisor, base: servers.Servers, services: Services, console: Console) -> None:
    began = time.monotonic()
    with console.status("starting Kafka and Elasticsearch") as status:
        running.start(*base.programs())
        console.print(f"Kafka and Elasticsearch answer ({time.monotonic() - began:.1f} s)")
        status.update("creating topics, index templates, the database and the demo users")
        services.prepare()
        status.update("starting identity provider, translator, audit sink, indexer, gateway, worker and live sockets")
        running.start(*services.programs())
        status.update("indexing the demo inventory")
        inventory.wait(services)
        console.print(
            f"translator, audit sink, indexer, gateway, worker and live sockets serve the demo inventory "
            f"({time.monotonic() - began:.1f} s)"
        )


def _serve(running: Supervisor, services: Services, console: Console) -> None:
    url, broker = services.gateway_url, services.servers.kafka.bootstrap_servers
    console.print("\n[bold]Serving.[/] What to try next:")
    query = '{"query": "OS.Type = Linux AND NOT Site in (london, austin)"}'
    headers = f"-H 'Authorization: {demo.authorization()}' -H 'Content-Type: application/json'"
    for line in (
        f"  in a browser: {url}/ as {USER}, with the password in {services.home / f'{USER}-password'}",
        f"  a log-in by OpenID Connect, in a browser and without a password: {url}/auth/{PROVIDER}",
        f"  curl -s {url}/search {headers} -d '{query}'",
        f'  .venv/bin/python -m gateway search "Ip = 10.20.0.0/16" --user {USER} --url {url}',
        f"  kcat -C -b {broker} -t {TOPIC}",
        f"  who searched what, for years: docs/lake.md; the tables are in {services.home / 'lake'}",
        f"  the API's documentation: {url}/docs/",
    ):
        console.out(line, highlight=False)
    console.print(f"Logs: {services.home / 'logs'}. Ctrl-C stops everything.")
    while True:
        running.check()
        preflight.check_room(services.home, preflight.RESERVE_BYTES)
        time.sleep(_WATCH_SECONDS)
