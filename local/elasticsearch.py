"""One Elasticsearch node, as a home folder and a command line."""

import sys
from dataclasses import dataclass
from pathlib import Path

_NETTY_MODULE = "transport-netty4"

_PLUGIN_DESCRIPTOR = """\
description=Netty 4 based transport implementation
version={version}
name=transport-netty4
classname=org.elasticsearch.transport.netty4.Netty4Plugin
java.version=21
elasticsearch.version={version}
"""

_LOGGING = """\
status = error
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c: %m%n
"""


@dataclass(frozen=True, slots=True)
class Elasticsearch:
    """A single-node cluster that keeps everything in ``home`` and listens on loopback."""

    home: Path
    jars: list[Path]
    port: int
    transport_port: int

    @property
    def url(self) -> str:
        """The address that clients are given."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Lay out the home folder as the distribution has it, with the archives linked into it."""
        module = self.home / "modules" / _NETTY_MODULE
        for folder in (module, *(self.home / name for name in ("lib", "config", "data", "logs", "plugins", "tmp"))):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (module, self.home / "lib"):
            for old in folder.glob("*.jar"):
                old.unlink()
        for jar in self.jars:
            in_module = jar.name.startswith(("netty-", _NETTY_MODULE))
            ((module if in_module else self.home / "lib") / jar.name).symlink_to(jar)
        version = next(jar.parent.name for jar in self.jars if jar.name.startswith(_NETTY_MODULE))
        descriptor = _PLUGIN_DESCRIPTOR.format(version=version)
        (module / "plugin-descriptor.properties").write_text(descriptor, encoding="utf-8")
        (self.home / "config" / "log4j2.properties").write_text(_LOGGING, encoding="utf-8")

    def command(self) -> list[str]:
        """The command that runs the node in the foreground; SIGTERM stops it."""
        arguments = [str(self.home), str(self.port), str(self.transport_port)]
        return [sys.executable, "-m", "local.elasticsearch_node", *arguments]
