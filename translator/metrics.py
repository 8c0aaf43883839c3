"""Metrics, by the names that Prometheus scrapes."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0)


class Metrics:  # pylint: disable=too-few-public-methods  # the metrics are its interface
    """The translator's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.translations = Counter(
            "translator_translations",
            "Queries read, by outcome: ok or an error's code.",
            ["outcome"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "translator_translation_seconds", "Text to DSL.", buckets=_SECONDS, registry=self.registry
        )
        self.catalogues = Gauge("translator_catalogues", "Indices whose fields are in memory.", registry=self.registry)
