"""Check of the environment's settings as all services read them: ``python -m local.check_settings NAME …``.

A process of its own, as the gateway reads its settings when they are imported. The first complaint goes to stderr,
behind its variable's name.
"""

import sys
from collections.abc import Sequence

from rapidfuzz.process import extractOne

from audit_sink.settings import SinkSettings
from contracts.console_event.topics import ConsoleTopicSettings
from contracts.inventory_change.topics import InventoryTopicSettings
from contracts.query_event.topics import TopicSettings
from elastic.settings import ElasticsearchSettings
from inventory_index.settings import IndexerSettings
from kit.kafka import KafkaSettings
from kit.settings import ConfigurationError, Settings, TracingSettings
from lake.commands.sql import SqlSettings
from lake.maintenance import MaintenanceSettings
from lake.marts.settings import MartSettings
from lake.serve.settings import ServeSettings
from lake.spark.settings import SparkSettings
from translator.settings import TranslatorSettings

SETTINGS: tuple[type[Settings], ...] = (
    TranslatorSettings,
    SinkSettings,
    ElasticsearchSettings,
    TracingSettings,
    KafkaSettings,
    TopicSettings,
    IndexerSettings,
    InventoryTopicSettings,
    ConsoleTopicSettings,
    ServeSettings,
    MaintenanceSettings,
    MartSettings,
    SqlSettings,
    SparkSettings,
)
"""Settings of all services, except the gateway's."""


def main(names: Sequence[str]) -> int:
    """Check that the names are known, and every value valid; the exit status is 2 where one is not."""
    try:
        from gateway.settings import GatewaySettings  # pylint: disable=import-outside-toplevel  # it reads them at once

        groups: tuple[type[Settings], ...] = (GatewaySettings, *SETTINGS)
        known = {name for group in groups for name in _variables(group)}
        for name in names:
            # OpenTelemetry's SDK reads more of these by itself.
            if name not in known and not name.startswith("OTEL_"):
                closest = extractOne(name, known, score_cutoff=80)
                hint = f"; did you mean {closest[0]}?" if closest else "; docs/settings.md has all of them"
                raise ConfigurationError(f"{name}: unknown setting{hint}")
        for group in groups:
            group.load()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _variables(group: type[Settings]) -> set[str]:
    prefix = group.model_config["env_prefix"]
    names = {f"{prefix}{name}".upper(): "Secret" in str(field.annotation) for name, field in group.model_fields.items()}
    return {*names, *(f"{name}_FILE" for name, secret in names.items() if secret)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
